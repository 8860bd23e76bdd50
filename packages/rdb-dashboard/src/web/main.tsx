import { render } from "preact";
import { App } from "./app.tsx";
import "./style/theme.css";
import "./style/layout.css";
import "./style/parts.css";
import "./style/pages.css";
import { beginTheme } from "./theme.ts";

beginTheme();
const place = document.getElementById("app");
if (place !== null) {
  render(<App />, place);
}
