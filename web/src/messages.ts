// Generated from watchglass_server/messages.py by `python -m watchglass_server.schema`. Do not edit.
// Browser ⇄ server: the types of docs/protocol.md.

export type Role = "viewer" | "editor" | "owner";

export type StreamName = "stdout" | "stderr";

export type Verdict = "restored" | "rerun" | "lost";

export type ExecutionStatus =
    "queued"
    | "running"
    | "ok"
    | "error"
    | "interrupted"
    | "cancelled"
    | "died"
    | "timeout";

export type ProcessStatus = "starting" | "idle" | "busy" | "hibernated" | "restoring" | "dead";

export type ResetReason = "restored" | "restarted" | "recovered" | "forked";

export type Completeness = "complete" | "incomplete" | "invalid";

export type MirrorStatus = "off" | "connected" | "behind" | "disconnected";

export type ScriptKind = "script" | "module";

export type ReloadMode = "ask" | "auto";

export type ErrorCode =
    "bad_request"
    | "unauthorized"
    | "forbidden"
    | "session_not_found"
    | "variable_not_found"
    | "checkpoint_not_found"
    | "not_settable"
    | "conflict"
    | "not_available"
    | "too_large"
    | "busy"
    | "limit_exceeded"
    | "pool_exhausted"
    | "process_died"
    | "timeout"
    | "rate_limited"
    | "internal";

export type MimeBundle = Record<string, unknown>;

export type PathElement = string | { index: number } | { attr: string } | { key: unknown };

export type Path = PathElement[];

export type Output =
  | StreamOutput
  | TruncatedOutput
  | DisplayOutput
  | ResultOutput
  | ErrorOutput
  | InputOutput
  | OmittedOutput;

/** Printed text; neighbouring pieces of one stream are one output. */
export interface StreamOutput {
  type: "stream";
  name: StreamName;
  text: string;
}

/** A piece of printed text. */
export interface StreamPart {
  name: StreamName;
  text: string;
}

/** Where the printed text was cut: `output.read` has all of it. */
export interface TruncatedOutput {
  type: "stream.truncated";
  dropped_bytes: number;
  tail: StreamPart[];
  lost_bytes: number;
  dropped_displays: number;
}

/** Something displayed; an update replaces the bundle. */
export interface DisplayOutput {
  type: "display_data";
  bundle: MimeBundle;
  display_id: string | null;
}

/** The value of the last expression. */
export interface ResultOutput {
  type: "execute_result";
  number: number;
  bundle: MimeBundle;
}

/** An exception, without our own frames. */
export interface ErrorOutput {
  type: "error";
  name: string;
  message: string;
  traceback: string[];
  line: number | null;
}

/** A question of `input()` and what was answered (null: open, cancelled, or a password). */
export interface InputOutput {
  type: "input";
  request: number;
  prompt: string;
  password: boolean;
  text: string | null;
  state: string;
}

/** Outputs left out of this answer for its size. */
export interface OmittedOutput {
  type: "omitted";
  outputs: number;
  bytes: number;
  hint: string;
}

/** The file of the watched folder that an execution loads. */
export interface ScriptRun {
  path: string;
  version: string;
  kind: ScriptKind;
  reload: ReloadMode;
}

/** One piece of code that somebody ran, and what came of it. */
export interface Execution {
  execution: string;
  number: number;
  code: string;
  author: string | null;
  status: ExecutionStatus;
  queued_at: string;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  outputs: Output[];
  script?: ScriptRun;
}

/** What is told of a variable; never made by running the user's code. */
export interface Variable {
  name: string;
  type: string;
  module: string | null;
  preview: string;
  length: number | null;
  size_bytes: number | null;
  shape: number[] | null;
  dtype: string | null;
  expandable: boolean;
  settable: boolean;
  version: number;
  value: unknown;
  hidden?: boolean;
  truncated?: boolean;
}

/** When the condition of a watch last turned true. */
export interface WatchAlert {
  time: string;
  execution: string | null;
  line: number | null;
}

/** An expression that is followed, and what it gives now; neither value nor error: not yet. */
export interface Watch {
  watch: string;
  expression: string;
  condition?: string | null;
  variable?: Variable | null;
  error?: string | null;
  met?: boolean | null;
  condition_error?: string | null;
  alert?: WatchAlert | null;
  version?: number;
  suspended?: boolean;
}

/** One connection in a session. */
export interface Participant {
  participant: string;
  name: string;
  role: Role;
}

/** How a process ended, in words a person can use. */
export interface ExitInfo {
  code: number | null;
  cause: string;
  message: string;
}

/** The session's process as far as clients see it. */
export interface ProcessState {
  state: ProcessStatus;
  reason: string | null;
  exit: ExitInfo | null;
  memory_bytes: number | null;
  watcher: string | null;
  grace_s: number | null;
}

/** A question of `input()` that waits for `input.reply`. */
export interface InputRequest {
  execution: string | null;
  request: number;
  prompt: string;
  password: boolean;
}

/** A package that was installed in the session with `%pip`. */
export interface Package {
  name: string;
  version: string;
  filename: string;
  sha256: string;
  unpacked_bytes: number;
  state: "installed" | "missing";
  why: string | null;
}

/** A variable that follows a row of a SpacetimeDB table, and writes it. */
export interface Binding {
  name: string;
  table: string;
  key: unknown;
  column: string | null;
  follows: string;
}

/** What became of one variable when the session got a new process. */
export interface RestoreEntry {
  name: string;
  verdict: Verdict;
  execution: string | null;
  why: string | null;
}

/** What one session may use; null: no limit. */
export interface Limits {
  memory_bytes: number;
  wall_s: number | null;
  cpu_s: number | null;
  cpu_hour_s: number | null;
  output_bytes: number;
  code_bytes: number;
  variables: number;
  variables_bytes: number;
  queue: number;
  participants: number;
  calls_per_s: number | null;
}

/** How far the SpacetimeDB mirror of the session is. */
export interface MirrorState {
  state: MirrorStatus;
  behind_by: number;
}

/** A joiner's first picture: this, and the events after its `seq`, is what everyone sees. */
export interface SessionState {
  session: string;
  name: string;
  status: ProcessStatus;
  seq: number;
  created_at: string;
  executions: Execution[];
  execution_count: number;
  variables: Variable[];
  watches: Watch[];
  participants: Participant[];
  checkpoints: unknown[];
  process: ProcessState;
  inputs: InputRequest[];
  packages: Package[];
  bindings: Binding[];
  reason: ResetReason | null;
  restore: RestoreEntry[];
  variables_left_out: number;
  limits?: Limits;
  mirror: MirrorState | null;
  truncated: boolean;
}

/** Why a call was refused; it has changed nothing. */
export interface WireError {
  code: ErrorCode;
  message: string;
  hint: string;
  field?: string | null;
  variable?: Variable | null;
  id?: string | null;
  retry_after_s?: number | null;
}

/** One variable was set or deleted. */
export interface VariableChange {
  op: "delete" | "set";
  name: string;
  variable: Variable | null;
  execution: string | null;
  line: number | null;
  author: string | null;
}

/** One part of an expanded value. */
export interface Child {
  key: PathElement;
  label: string;
  variable: Variable;
}

/** One row of a window that is another than before. */
export interface PatchRow {
  row: number;
  child: Child;
}

/** What has changed in an open window; the first one has all of its rows. */
export interface Patch {
  path: PathElement[];
  offset: number;
  limit: number;
  total: number | null;
  length: number;
  version: number;
  rows: PatchRow[];
}

/** The line that runs now: of the innermost of the user's frames. */
export interface RunningLine {
  number: number;
  execution: string | null;
  line: number;
  function: string | null;
  calls: number | null;
}

/** What `live` carries to one client: only what is new since the last one. */
export interface LiveMessage {
  session: string;
  after_seq: number;
  changes: VariableChange[];
  patches: Patch[];
  line: RunningLine | null;
}

/** Says what this server is and can. */
export interface ServerInfoCommand {
}

/** What this server allows: each session at most so much, and itself; null: no limit. */
export interface ServerLimits {
  memory_bytes: number;
  wall_s: number | null;
  cpu_s: number | null;
  cpu_hour_s: number | null;
  output_bytes: number;
  code_bytes: number;
  variables: number;
  variables_bytes: number;
  queue: number;
  participants: number;
  calls_per_s: number | null;
  message_bytes: number;
  answer_bytes: number;
  idle_s: number;
  interrupt_grace_s: number;
  processes: number;
  sessions: number;
}

/** This server. */
export interface ServerInfoReply {
  version: string;
  python: string | null;
  pyodide: string | null;
  node: string | null;
  watcher: string | null;
  isolation: string;
  limits: ServerLimits;
  features: string[];
}

/** Makes a session with a process of its own; the caller has joined it. */
export interface SessionCreateCommand {
  name?: string | null;
  limits?: Limits | null;
}

/** One token a role, each belonging to a share of its own. */
export interface SessionTokens {
  owner: string;
  editor: string;
  viewer: string;
}

/** The new session. */
export interface SessionCreateReply {
  session: string;
  role: Role;
  tokens: SessionTokens;
  state: SessionState;
}

/** Lists the sessions: all with the server token, otherwise those the connection can open. */
export interface SessionListCommand {
}

/** One line of the list of sessions. */
export interface SessionSummary {
  session: string;
  name: string;
  status: ProcessStatus;
  participants: number;
  created_at: string;
  last_active_at: string;
  executions: number;
  memory_bytes: number | null;
}

/** The sessions, the last used first. */
export interface SessionListReply {
  sessions: SessionSummary[];
}

/** Begins to receive a session's events, or continues after `since`. */
export interface SessionJoinCommand {
  session: string;
  token?: string | null;
  name?: string | null;
  since?: number | null;
}

/** Either `events`, or `state`: apply the events after its `seq`. */
export interface SessionJoinReply {
  role: Role;
  seq: number;
  participant: string;
  events?: SessionEvent[];
  more?: boolean;
  state?: SessionState;
}

/** Ends what `session.join` began. */
export interface SessionLeaveCommand {
  session: string;
}

/** Nothing but `ok`. */
export interface EmptyReply {
}

/** Gives the session another name. */
export interface SessionRenameCommand {
  session: string;
  name: string;
}

/** Ends the session and deletes all that is stored of it. */
export interface SessionDestroyCommand {
  session: string;
}

/** Makes a link and a token that open this session with a role. */
export interface SessionShareCommand {
  session: string;
  role: Role;
  expires_in_s?: number | null;
  label?: string | null;
  max_uses?: number | null;
}

/** The new share. */
export interface SessionShareReply {
  share: string;
  link: string;
  token: string;
  expires_at: string | null;
}

/** Lists the shares of the session. */
export interface SessionSharesCommand {
  session: string;
}

/** A way into a session, with a role. */
export interface Share {
  share: string;
  role: Role;
  label: string | null;
  expires_at: string | null;
  created_at: string;
  max_uses: number | null;
  uses: number;
}

/** The shares that are open. */
export interface SessionSharesReply {
  shares: Share[];
}

/** Ends a share, and drops the connections that came in by it. */
export interface SessionRevokeCommand {
  session: string;
  share: string;
}

/** Drops one participant's connection; its share stays (`session.revoke` ends that). */
export interface ParticipantRemoveCommand {
  session: string;
  participant: string;
}

/** Makes a new session from a checkpoint of this one. */
export interface SessionForkCommand {
  session: string;
  checkpoint?: string | null;
  name?: string | null;
}

/** Says what the session may use, and how much of it is used. */
export interface SessionUsageCommand {
  session: string;
}

/** How much a session uses now, of what its `limits` say. */
export interface Usage {
  memory_bytes: number | null;
  process_bytes: number | null;
  wall_s: number | null;
  cpu_s: number;
  cpu_hour_s: number;
  cpu_hour_free_in_s: number | null;
  output_bytes: number;
  variables: number;
  variables_bytes: number;
  variables_left_out: number;
  queue: number;
  participants: number;
}

/** What the session may use, and how much of it is used. */
export interface SessionUsageReply {
  limits: Limits;
  usage: Usage;
}

/** Stops the session's process and keeps its state. */
export interface SessionHibernateCommand {
  session: string;
}

/** Lists executions with their outputs, oldest first; `before` pages backwards. */
export interface ExecutionListCommand {
  session: string;
  before?: number | null;
  limit?: number;
}

/** A page of executions, oldest first. */
export interface ExecutionListReply {
  executions: Execution[];
  more: boolean;
}

/** Queues code; the same `execution` id is executed once, however often it is sent. */
export interface ExecuteCommand {
  session: string;
  code: string;
  execution?: string | null;
}

/** Accepted, not finished: the events tell the rest. */
export interface ExecuteReply {
  execution: string;
  number: number;
  queued_behind: number;
}

/** Raises KeyboardInterrupt in the code that runs. */
export interface InterruptCommand {
  session: string;
  execution?: string | null;
}

/** Whether something was running. */
export interface InterruptReply {
  interrupted: boolean;
}

/** Ends the process and starts an empty one. */
export interface RestartCommand {
  session: string;
}

/** Answers `input()`. */
export interface InputReplyCommand {
  session: string;
  request: number;
  text: string;
}

/** Asks what may stand at the cursor. */
export interface CompleteCommand {
  session: string;
  code: string;
  cursor: number;
}

/** One completion. */
export interface Match {
  text: string;
  type: string;
}

/** What may replace `code[start:end]`, in code points. */
export interface CompleteReply {
  matches: Match[];
  start: number;
  end: number;
}

/** Asks for the signature and docstring of what stands at the cursor. */
export interface InspectCommand {
  session: string;
  code: string;
  cursor: number;
}

/** What stands at the cursor. */
export interface InspectReply {
  found: boolean;
  signature: string | null;
  docstring: string | null;
  type: string | null;
}

/** Asks whether the code can run as it is. */
export interface IsCompleteCommand {
  session: string;
  code: string;
}

/** Whether the code can run as it is. */
export interface IsCompleteReply {
  status: Completeness;
  indent: string;
}

/** Expands a value: its picture, and a page of its children. */
export interface VariableGetCommand {
  session: string;
  path: PathElement[];
  offset?: number;
  limit?: number;
}

/** The value at the path, and a page of its children. */
export interface VariableGetReply {
  variable: Variable;
  children: Child[];
  total: number | null;
}

/** Sets a variable, or a part of one, to a JSON value or to what an expression gives. */
export interface VariableSetCommand {
  session: string;
  name?: string | null;
  path?: PathElement[] | null;
  value?: unknown;
  expression?: string | null;
  when?: "after" | "now";
  if_version?: number | null;
}

/** The variable as it is now. */
export interface VariableReply {
  variable: Variable;
}

/** Runs the value's own `repr`, on purpose, with a deadline. */
export interface VariableReprCommand {
  session: string;
  path: PathElement[];
}

/** The full `repr`. */
export interface VariableReprReply {
  text: string;
  truncated: boolean;
}

/** Lists the frames of the running code. */
export interface FramesCommand {
  session: string;
}

/** One frame of the running code. */
export interface Frame {
  name: string;
  file: string;
  number: number | null;
  execution: string | null;
  line: number | null;
  locals: Variable[];
}

/** The frames of the running code, the innermost last. */
export interface FrameReply {
  frames: Frame[];
  omitted: number;
}

/** A page of an expanded value that a client shows. */
export interface Window {
  path: PathElement[];
  offset?: number;
  limit?: number;
}

/** Says what `live` shall carry to this client. */
export interface ViewSetCommand {
  session: string;
  names?: string[] | null;
  windows?: Window[];
  line?: boolean;
}

/** Deletes a variable. */
export interface VariableDeleteCommand {
  session: string;
  name: string;
}

/** Lists the changes of one variable, newest first; `before_seq` pages backwards. */
export interface VariableHistoryCommand {
  session: string;
  name: string;
  before_seq?: number | null;
  limit?: number;
  values?: boolean;
}

/** One change of a variable; `preview` and `value` are null where it was deleted. */
export interface HistoryChange {
  seq: number;
  time: string;
  nth: number;
  op: "delete" | "set";
  execution: string | null;
  number: number | null;
  line: number | null;
  author: string | null;
  type: string | null;
  preview: string | null;
  value: unknown;
  error?: string | null;
}

/** The changes, newest first. */
export interface VariableHistoryReply {
  changes: HistoryChange[];
  more: boolean;
}

/** Follows an expression; `condition`, an expression of `value`, raises `watch.alert`. */
export interface WatchAddCommand {
  session: string;
  expression: string;
  condition?: string | null;
}

/** The watch, and what it gives if that is known already. */
export interface WatchReply {
  watch: string;
  expression: string;
  condition?: string | null;
  variable?: Variable | null;
  error?: string | null;
  met?: boolean | null;
  condition_error?: string | null;
}

/** Stops following an expression. */
export interface WatchRemoveCommand {
  session: string;
  watch?: string | null;
  expression?: string | null;
  condition?: string | null;
}

/** Lists what a watch gave, newest first; `before_seq` pages backwards. */
export interface WatchHistoryCommand {
  session: string;
  watch: string;
  before_seq?: number | null;
  limit?: number;
}

/** Makes a variable follow a row of a SpacetimeDB table. */
export interface SessionBindCommand {
  session: string;
  name: string;
  table: string;
  key: unknown;
  column?: string | null;
}

/** What the variable follows from now on, and how the row is written. */
export interface SessionBindReply {
  follows: string;
  writes: string | null;
  why: string | null;
  is_equal: boolean;
}

/** Ends what `session.bind` began. */
export interface SessionUnbindCommand {
  session: string;
  name: string;
  table?: string | null;
  key?: unknown;
  column?: string | null;
}

/** Reads an execution's whole text by range. */
export interface OutputReadCommand {
  session: string;
  execution: string;
  offset?: number;
  limit?: number;
}

/** A range of the text; `total` is the length of all of it, in code points. */
export interface OutputReadReply {
  chunks: StreamPart[];
  total: number;
}

/** Lists the checkpoints. */
export interface CheckpointListCommand {
  session: string;
}

/** The checkpoints, oldest first. */
export interface CheckpointListReply {
  checkpoints: unknown[];
}

/** Takes the session back to a checkpoint. */
export interface CheckpointRestoreCommand {
  session: string;
  checkpoint: string;
}

/** The session after it. */
export interface CheckpointRestoreReply {
  state: SessionState;
}

/** Gives a checkpoint a name. */
export interface CheckpointNameCommand {
  session: string;
  checkpoint: string;
  name: string;
}

/** Lists the files of the folder that the server watches, and what this session has of them. */
export interface ScriptListCommand {
  session: string;
}

/** One file of the watched folder, as one session sees it. */
export interface ScriptEntry {
  path: string;
  version: string | null;
  loaded: string | null;
  kind: ScriptKind | null;
  reload: ReloadMode;
  importable: boolean;
}

/** A file that is not given to sessions. */
export interface RefusedScript {
  path: string;
  why: string;
}

/** The files, by name. */
export interface ScriptListReply {
  watching: boolean;
  scripts: ScriptEntry[];
  refused: RefusedScript[];
}

/** Executes a file in the session: its text as a script, or imported anew as a module. */
export interface ScriptLoadCommand {
  session: string;
  path: string;
  kind?: ScriptKind | null;
  reload?: ReloadMode | null;
}

/** The execution that loads the file: accepted, not finished. */
export interface ScriptLoadReply {
  execution: string;
  number: number;
  version: string;
  kind: ScriptKind;
}

/** Says whether a file that changes is offered for reloading, or reloaded by itself. */
export interface ScriptSetCommand {
  session: string;
  path: string;
  reload: ReloadMode;
}

/** Code was accepted and waits. */
export interface ExecutionQueuedNotification {
  execution: string;
  number: number;
  code: string;
  author: string | null;
  script?: ScriptRun;
}

/** Code was given to the process. */
export interface ExecutionStartedNotification {
  execution: string;
  number: number;
  code: string;
  author: string | null;
  script?: ScriptRun;
}

/** Printed text; many small writes come as one. */
export interface StreamNotification {
  execution: string | null;
  name: StreamName;
  text: string;
}

/** The text goes on, but not here: what was left out so far, and the newest of it. */
export interface StreamTruncatedNotification {
  execution: string | null;
  dropped_bytes: number;
  tail: StreamPart[];
  lost_bytes: number;
  dropped_displays: number;
}

/** Something was displayed. */
export interface DisplayDataNotification {
  execution: string | null;
  bundle: MimeBundle;
  display_id: string | null;
}

/** What was displayed under this id is now this. */
export interface UpdateDisplayDataNotification {
  execution: string | null;
  bundle: MimeBundle;
  display_id: string | null;
}

/** The value of the last expression. */
export interface ExecuteResultNotification {
  execution: string;
  number: number;
  bundle: MimeBundle;
}

/** An exception that nobody caught. */
export interface ErrorNotification {
  execution: string | null;
  name: string;
  message: string;
  traceback: string[];
  line: number | null;
}

/** An execution ended, or never will begin. */
export interface ExecutionFinishedNotification {
  execution: string;
  status: "cancelled" | "died" | "error" | "interrupted" | "ok" | "timeout";
  duration_ms: number | null;
  checkpoint: string | null;
}

/** `input()` waits for `input.reply`. */
export interface InputRequestedNotification {
  execution: string | null;
  request: number;
  prompt: string;
  password: boolean;
}

/** The question was answered, or is no longer open. */
export interface InputAnsweredNotification {
  execution: string | null;
  request: number;
  prompt: string;
  password: boolean;
  text: string | null;
  cancelled: boolean;
}

/** Variables were set or deleted. */
export interface VariablesChangedNotification {
  changes: VariableChange[];
  running: boolean;
  left_out?: number;
}

/** Replaces all that was known of the variables. */
export interface StateResetNotification {
  reason: ResetReason;
  variables: Variable[];
  watches: Watch[];
  restore: RestoreEntry[];
  left_out?: number;
}

/** The watches are now these: all of them, in their order. */
export interface WatchesChangedNotification {
  watches: Watch[];
  changed: string[];
  execution: string | null;
  line: number | null;
}

/** The condition of a watch turned true. */
export interface WatchAlertNotification {
  watch: string;
  expression: string;
  condition: string;
  variable: Variable;
  execution: string | null;
  line: number | null;
}

/** The packages of the session are now these: all of them. */
export interface PackagesChangedNotification {
  packages: Package[];
  execution: string | null;
}

/** The variables that follow rows are now these: all of them. */
export interface BindingsChangedNotification {
  bindings: Binding[];
}

/** What the session's process does now. */
export interface ProcessStateNotification {
  state: ProcessStatus;
  reason: string | null;
  exit: ExitInfo | null;
  memory_bytes: number | null;
  watcher: string | null;
  grace_s: number | null;
}

/** A checkpoint was taken, or gone back to. */
export interface CheckpointNotification {
  checkpoint: string;
  execution: string | null;
}

/** Somebody came or went. */
export interface ParticipantNotification {
  participant: string;
  name: string;
  role: Role;
}

/** The session has another name. */
export interface SessionRenamedNotification {
  name: string;
}

/** The session is gone. */
export interface SessionDestroyedNotification {
  reason: string;
}

/** Somebody made a new session from this one. */
export interface SessionForkedNotification {
  session: string;
  checkpoint: string | null;
}

/** A file that this session has loaded is another one on the server's disk now. */
export interface ScriptChangedNotification {
  path: string;
  version: string | null;
  kind: ScriptKind;
}

/** Somebody said how a file is reloaded. */
export interface ScriptModeNotification {
  path: string;
  kind: ScriptKind;
  reload: ReloadMode;
}

/** How far the SpacetimeDB mirror of the session is. */
export interface MirrorStateNotification {
  state: MirrorStatus;
  behind_by: number;
}

/** Each call: what it takes, and what it is acknowledged with beside `ok`. */
export interface Calls {
  "server.info": { args: ServerInfoCommand; reply: ServerInfoReply };
  "session.create": { args: SessionCreateCommand; reply: SessionCreateReply };
  "session.list": { args: SessionListCommand; reply: SessionListReply };
  "session.join": { args: SessionJoinCommand; reply: SessionJoinReply };
  "session.leave": { args: SessionLeaveCommand; reply: EmptyReply };
  "session.rename": { args: SessionRenameCommand; reply: EmptyReply };
  "session.destroy": { args: SessionDestroyCommand; reply: EmptyReply };
  "session.share": { args: SessionShareCommand; reply: SessionShareReply };
  "session.shares": { args: SessionSharesCommand; reply: SessionSharesReply };
  "session.revoke": { args: SessionRevokeCommand; reply: EmptyReply };
  "participant.remove": { args: ParticipantRemoveCommand; reply: EmptyReply };
  "session.fork": { args: SessionForkCommand; reply: SessionCreateReply };
  "session.usage": { args: SessionUsageCommand; reply: SessionUsageReply };
  "session.hibernate": { args: SessionHibernateCommand; reply: EmptyReply };
  "execution.list": { args: ExecutionListCommand; reply: ExecutionListReply };
  "execute": { args: ExecuteCommand; reply: ExecuteReply };
  "interrupt": { args: InterruptCommand; reply: InterruptReply };
  "restart": { args: RestartCommand; reply: EmptyReply };
  "input.reply": { args: InputReplyCommand; reply: EmptyReply };
  "complete": { args: CompleteCommand; reply: CompleteReply };
  "inspect": { args: InspectCommand; reply: InspectReply };
  "is_complete": { args: IsCompleteCommand; reply: IsCompleteReply };
  "variable.get": { args: VariableGetCommand; reply: VariableGetReply };
  "variable.set": { args: VariableSetCommand; reply: VariableReply };
  "variable.repr": { args: VariableReprCommand; reply: VariableReprReply };
  "frames": { args: FramesCommand; reply: FrameReply };
  "view.set": { args: ViewSetCommand; reply: EmptyReply };
  "variable.delete": { args: VariableDeleteCommand; reply: EmptyReply };
  "variable.history": { args: VariableHistoryCommand; reply: VariableHistoryReply };
  "watch.add": { args: WatchAddCommand; reply: WatchReply };
  "watch.remove": { args: WatchRemoveCommand; reply: WatchReply };
  "watch.history": { args: WatchHistoryCommand; reply: VariableHistoryReply };
  "session.bind": { args: SessionBindCommand; reply: SessionBindReply };
  "session.unbind": { args: SessionUnbindCommand; reply: EmptyReply };
  "output.read": { args: OutputReadCommand; reply: OutputReadReply };
  "checkpoint.list": { args: CheckpointListCommand; reply: CheckpointListReply };
  "checkpoint.restore": { args: CheckpointRestoreCommand; reply: CheckpointRestoreReply };
  "checkpoint.name": { args: CheckpointNameCommand; reply: EmptyReply };
  "script.list": { args: ScriptListCommand; reply: ScriptListReply };
  "script.load": { args: ScriptLoadCommand; reply: ScriptLoadReply };
  "script.set": { args: ScriptSetCommand; reply: EmptyReply };
}

/** The data of each event, by its `type`. */
export interface EventData {
  "execution.queued": ExecutionQueuedNotification;
  "execution.started": ExecutionStartedNotification;
  "stream": StreamNotification;
  "stream.truncated": StreamTruncatedNotification;
  "display_data": DisplayDataNotification;
  "update_display_data": UpdateDisplayDataNotification;
  "execute_result": ExecuteResultNotification;
  "error": ErrorNotification;
  "execution.finished": ExecutionFinishedNotification;
  "input.requested": InputRequestedNotification;
  "input.answered": InputAnsweredNotification;
  "variables.changed": VariablesChangedNotification;
  "state.reset": StateResetNotification;
  "watches.changed": WatchesChangedNotification;
  "watch.alert": WatchAlertNotification;
  "packages.changed": PackagesChangedNotification;
  "bindings.changed": BindingsChangedNotification;
  "process.state": ProcessStateNotification;
  "checkpoint.created": CheckpointNotification;
  "checkpoint.restored": CheckpointNotification;
  "participant.joined": ParticipantNotification;
  "participant.left": ParticipantNotification;
  "session.renamed": SessionRenamedNotification;
  "session.destroyed": SessionDestroyedNotification;
  "session.forked": SessionForkedNotification;
  "script.changed": ScriptChangedNotification;
  "script.mode": ScriptModeNotification;
  "mirror.state": MirrorStateNotification;
}

export type EventType = keyof EventData;

/** One entry of a session's record, as `event` carries it. */
export type SessionEvent = {
  [Type in EventType]: {
    session: string;
    seq: number;
    time: string;
    type: Type;
    data: EventData[Type];
  };
}[EventType];

/** What a call is acknowledged with. */
export type Acknowledgement<Reply> = ({ ok: true } & Reply) | { ok: false; error: WireError };
