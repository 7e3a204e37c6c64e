// Starts the page. Trunk names the built files in this script's own tag (see
// pattern_script in Trunk.toml), so nothing on the page is an inline script.
const { js, wasm } = document.querySelector("script[data-wasm]").dataset;

try {
  const { default: init } = await import(js);
  const exports = await init({ module_or_path: wasm });
  dispatchEvent(new CustomEvent("TrunkApplicationStarted", { detail: { wasm: exports } }));
} catch (error) {
  const app = document.getElementById("app");
  app.setAttribute("role", "alert");
  app.textContent = `The page could not start: ${error}`;
}
