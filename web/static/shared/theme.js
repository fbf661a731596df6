// Dark and light: the system's choice, until the visitor makes one. A cookie keeps it, so that the server sends the
// page in the right colours from its first byte.

import { say } from "./say.js";

const A_YEAR = 365 * 24 * 60 * 60; // seconds
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

export function watchTheme(button) {
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => {
    button.title = dark() ? say("common.use_light") : say("common.use_dark");
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    root.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=${A_YEAR}; samesite=lax`;
    label();
  });
  system.addEventListener("change", label);
  label();
}
