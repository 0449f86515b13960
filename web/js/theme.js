// Sets the colour scheme before the first paint, so that nothing flashes.
const chosen = localStorage.getItem("warren.theme");
const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.classList.toggle("dark", dark);
