// Starts the page.
import "./styles/main.css";

import { render } from "preact";

import { start } from "./page.ts";
import { showInTab } from "./tab.ts";
import { App } from "./views/app.tsx";

// Chromium 156 leaves parts of what moveBefore() moved without a place on the screen (seen in the
// table of variables when its rows change their order). Without it Preact uses insertBefore().
Object.defineProperty(Element.prototype, "moveBefore", { value: undefined });

start();
showInTab();
render(<App />, document.getElementById("app") as HTMLElement);
