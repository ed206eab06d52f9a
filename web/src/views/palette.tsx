// Every command by name.
import { commands, type Command } from "./commands.ts";
import { closeDialog, Modal } from "./modal.tsx";
import { Picker } from "./picker.tsx";

export function PaletteDialog() {
  const all = commands().filter((each) => each.possible);
  const matching = (query: string) => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return all.filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)));
  };
  const take = (command: Command) => {
    closeDialog();
    command.run();
  };
  return (
    <Modal title="Commands" name="palette" bare>
      <Picker placeholder="What do you want to do?" name="palette" items={matching} take={take}
        keyOf={(command) => command.title} nothing="No command has this name."
        draw={({ title, keys }) => (
          <div class="command"><span>{title}</span>{keys && <kbd>{keys}</kbd>}</div>
        )} />
    </Modal>
  );
}
