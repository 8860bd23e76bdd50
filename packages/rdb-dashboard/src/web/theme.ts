import { useEffect, useState } from "preact/hooks";

/** `auto`: as the system says. */
export type ThemeChoice = "auto" | "light" | "dark";

const STORAGE_NAME = "flaredb-theme";
const order: readonly ThemeChoice[] = ["auto", "light", "dark"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const changes = new EventTarget();

let choice: ThemeChoice = order.find((each) => each === localStorage.getItem(STORAGE_NAME)) ?? "auto";

/** Puts what was chosen before on the page; called once. */
export function beginTheme(): void {
  prefersDark.addEventListener("change", show);
  show();
}

/** The next of auto, light and dark. */
export function nextTheme(): void {
  choice = order[(order.indexOf(choice) + 1) % order.length] ?? "auto";
  localStorage.setItem(STORAGE_NAME, choice);
  show();
}

/** What was chosen, and what that is now; charts draw themselves anew when it changes. */
export function useTheme(): { readonly choice: ThemeChoice; readonly isDark: boolean } {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const changed = (): void => setTurn((before) => before + 1);
    changes.addEventListener("change", changed);
    return () => changes.removeEventListener("change", changed);
  }, []);
  return { choice, isDark: isDark() };
}

function isDark(): boolean {
  return choice === "dark" || (choice === "auto" && prefersDark.matches);
}

function show(): void {
  document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
  changes.dispatchEvent(new Event("change"));
}
