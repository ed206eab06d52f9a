// Typing over a selection, done by CodeMirror instead of the browser: Chromium's own editing keeps the look of
// what it replaces in style attributes, which the Content-Security-Policy refuses.
import { EditorView } from "@codemirror/view";

export const selectionInput = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    const text = event.data;
    if (event.inputType !== "insertText" || text === null || empty || event.isComposing || !event.cancelable) {
      return false;
    }
    const insert = () => view.state.update(view.state.replaceSelection(text), {
      scrollIntoView: true, userEvent: "input.type",
    });
    const taken = view.state.facet(EditorView.inputHandler).some((take) => take(view, from, to, text, insert));
    if (!taken) view.dispatch(insert());
    return true;
  },
});
