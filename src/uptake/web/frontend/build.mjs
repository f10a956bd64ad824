// Writes ../static/vendor: htmx, the charts bundle, Tabler cut to what our templates use, the icon sprite and Inter.
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "..");
const out = join(web, "static", "vendor");
const npm = (...parts) => join(here, "node_modules", ...parts);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

// htmx as it is published.
cpSync(npm("htmx.org", "dist", "htmx.min.js"), join(out, "htmx.js"));

// ECharts: only what charts.mjs names.
await build({
  entryPoints: [join(here, "charts.mjs")],
  outfile: join(out, "charts.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
});

// The scripts that other people's pages load; src/uptake/web/collector and src/uptake/web/widget serve them.
for (const name of ["collector.js", "widget.js"]) {
  const made = await transform(readFileSync(join(here, name), "utf8"), {
    loader: "js",
    minify: true,
    target: "es2020",
    legalComments: "none",
  });
  writeFileSync(join(out, name), made.code);
}

// Tabler: the rules whose names stand in our templates, tags and script.
const [purged] = await new PurgeCSS().purge({
  content: [`${web}/templates/**/*.html`, `${web}/**/*.py`, `${web}/static/app/*.js`],
  css: [npm("@tabler", "core", "dist", "css", "tabler.min.css")],
  safelist: { standard: ["html", "body", "show", "active", "disabled", "collapsed", "is-invalid"], greedy: [/data-bs-theme/] },
  defaultExtractor: (content) => content.match(/[A-Za-z0-9_-]+/g) ?? [],
  variables: true,
  keyframes: true,
  fontFace: true,
});
const css = await transform(purged.css, { loader: "css", minify: true, legalComments: "none" });
writeFileSync(join(out, "tabler.css"), css.code);

// Icons: one sprite of those listed.
const names = readFileSync(join(here, "icons.txt"), "utf8").split("\n").filter(Boolean);
const symbols = names.map((name) => {
  const svg = readFileSync(npm("@tabler", "icons", "icons", "outline", `${name}.svg`), "utf8");
  const body = svg
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/^[\s\S]*?<svg[^>]*>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/\s+/g, " ")
    .trim();
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
});
writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);

// Inter, latin letters only; Chinese is set in the reader's own font.
cpSync(npm("@fontsource-variable", "inter", "files", "inter-latin-wght-normal.woff2"), join(out, "inter.woff2"));

// Licences travel with what they cover.
const licences = [
  ["htmx.org", "LICENSE"], ["echarts", "LICENSE"], ["echarts", "NOTICE"], ["@tabler/core", "LICENSE"],
  ["@tabler/icons", "LICENSE"], ["@fontsource-variable/inter", "LICENSE"],
].map(([name, file]) => {
  try {
    return `==== ${name} ====\n${readFileSync(npm(...name.split("/"), file), "utf8")}`;
  } catch {
    const meta = JSON.parse(readFileSync(npm(...name.split("/"), "package.json"), "utf8"));
    return `==== ${name} ${meta.version} ====\n${meta.license}\n`;
  }
});
writeFileSync(join(out, "LICENSES.txt"), licences.join("\n"));
