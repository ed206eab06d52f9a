/** Server → Node host: the one argument of the command line, checked. */

/**
 * @typedef {object} Config
 * @property {number} fd this end of the socketpair
 * @property {string} pyodideDir
 * @property {string} monitorDir
 * @property {string | null} image
 * @property {number | null} memoryBytes
 * @property {number} outputBytes
 * @property {number} pollMs
 * @property {number} variables told of at most
 */
/**
 * @typedef {object} ImageConfig
 * @property {string} pyodideDir
 * @property {string} monitorDir
 * @property {string} out
 */

/**
 * @param {string | undefined} argument JSON
 * @returns {Config}
 */
export function readConfig(argument) {
  const fields = parse(argument);
  return {
    fd: number(fields, "fd"),
    pyodideDir: text(fields, "pyodide_dir"),
    monitorDir: text(fields, "monitor_dir"),
    image: fields.image == null ? null : text(fields, "image"),
    memoryBytes: fields.memory_bytes == null ? null : number(fields, "memory_bytes"),
    outputBytes: number(fields, "output_bytes"),
    pollMs: number(fields, "poll_ms"),
    variables: number(fields, "variables"),
  };
}

/**
 * @param {string | undefined} argument JSON
 * @returns {ImageConfig}
 */
export function readImageConfig(argument) {
  const fields = parse(argument);
  return {
    pyodideDir: text(fields, "pyodide_dir"),
    monitorDir: text(fields, "monitor_dir"),
    out: text(fields, "out"),
  };
}

/**
 * @param {string | undefined} argument
 * @returns {Record<string, unknown>}
 */
function parse(argument) {
  if (argument === undefined)
    throw new Error("the configuration is missing: start this with one argument, a JSON object");
  return JSON.parse(argument);
}

/**
 * @param {Record<string, unknown>} fields
 * @param {string} name
 */
function number(fields, name) {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`the configuration's ${name} must be a whole number, not ${JSON.stringify(value)}`);
  return value;
}

/**
 * @param {Record<string, unknown>} fields
 * @param {string} name
 */
function text(fields, name) {
  const value = fields[name];
  if (typeof value !== "string" || !value)
    throw new Error(`the configuration's ${name} must be a text, not ${JSON.stringify(value)}`);
  return value;
}
