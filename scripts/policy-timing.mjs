// Times the policy engine in WebAssembly, under Node or in Chromium: one line a
// task, its name and the median in milliseconds.
// usage: node scripts/policy-timing.mjs MODULE.wasm [CHROMIUM]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [file, chromium] = process.argv.slice(2);
const bytes = readFileSync(file);

/** The measurement itself; also sent to the browser as text. */
function time(exports) {
  const lines = [];
  const count = exports.prepare();
  for (let task = 0; task < count; task += 1) {
    const name = new TextDecoder().decode(
      new Uint8Array(exports.memory.buffer, exports.name(task), exports.name_length(task)),
    );
    // The compiler of the engine replaces its first, slower code while these run.
    for (let warm = 0; warm < 3; warm += 1) exports.run(task);
    const spent = [];
    const start = performance.now();
    while (spent.length < 5 || (performance.now() - start < 1000 && spent.length < 1000)) {
      const repeats = spent.unit ?? 1;
      const before = performance.now();
      for (let n = 0; n < repeats; n += 1) exports.run(task);
      const each = (performance.now() - before) / repeats;
      // Browsers round their clock: short tasks are timed many at once.
      if (each < 1 && repeats === 1) spent.unit = Math.min(1000, Math.ceil(2 / Math.max(each, 0.002)));
      else spent.push(each);
    }
    spent.sort((a, b) => a - b);
    lines.push(`${name}\t${spent[spent.length >> 1].toFixed(4)}`);
  }
  return lines.join("\n");
}

if (!chromium) {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  console.log(time(instance.exports));
} else {
  const folder = mkdtempSync(join(tmpdir(), "policy-timing-"));
  try {
    const page = join(folder, "page.html");
    const script = `${time}
      const bytes = Uint8Array.from(atob("${bytes.toString("base64")}"), (c) => c.charCodeAt(0));
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
      document.currentScript.remove();
      document.querySelector("pre").textContent = time(exports);`;
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><pre></pre><script>${script}</script>`);
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${folder}`, "--dump-dom"];
    const said = execFileSync(chromium, [...flags, `file://${page}`], { timeout: 120_000, maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "ignore"] });
    console.log(String(said).match(/<pre>([^<]*)<\/pre>/)[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
