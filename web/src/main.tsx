// Starts the page.
import "./styles/main.css";

import { render } from "preact";

import { start } from "./page.ts";
import { App } from "./views/app.tsx";

start();
render(<App />, document.getElementById("app") as HTMLElement);
