// Collects the licences of the packages in a bundle.
//
// usage: node notices.mjs METAFILE LICENSE OUTPUT

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const [metafile, own, output] = process.argv.slice(2);
const inputs = Object.keys(JSON.parse(readFileSync(metafile, "utf8")).inputs);
const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const packages = [...new Set(inputs.map((path) => path.match(folder)?.[1]).filter(Boolean))].sort();
const texts = packages.map((path) => {
  const { name, version, license } = JSON.parse(readFileSync(`${path}/package.json`, "utf8"));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) {
    throw new Error(`${name} has no licence file`);
  }
  return `${name} ${version} (${license})\n\n${readFileSync(`${path}/${file}`, "utf8").trim()}\n`;
});
if (texts.length === 0 || !existsSync(own)) {
  throw new Error("the bundle has no packages, or the extension has no licence");
}
writeFileSync(output, `The extension contains these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`);
