// Starts the console. The start page names the program's file, so that it can
// be fetched while this script is still on its way.
import init from "./console.js";

const program = document.querySelector('meta[name="warren-program"]').content;

init({ module_or_path: program }).catch((error) => {
  const note = document.getElementById("start");
  note.hidden = false;
  note.textContent = `The console could not start: ${error.message ?? error}. Reload the page; if that does not help, use a current browser.`;
  console.error(error);
});
