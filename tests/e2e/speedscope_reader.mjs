// SPDX-License-Identifier: GPL-3.0-only
// node read.mjs BUNDLE FILE: what speedscope's own importer makes of FILE, as JSON
import fs from "node:fs"
import path from "node:path"
import url from "node:url"
const [bundle, file] = process.argv.slice(2)
let src = fs.readFileSync(bundle, "utf8")
// The importer's module is a promise in the bundle: its name is where the wrapper of importFromText awaits it.
const m = src.match(/await (\w+)\)\.importProfileGroupFromText\(/)
if (!m) throw new Error("no importer in the bundle")
const stub = new Proxy(function () {}, {get: (t, k) => k === Symbol.toPrimitive ? () => "" : k === "length" ? 0 : k === Symbol.iterator ? function* () {} : stub, apply: () => stub, construct: () => stub, set: () => true, has: () => true})
for (const name of ["document", "window", "self", "location", "localStorage"]) { try { Object.defineProperty(globalThis, name, {value: stub, configurable: true, writable: true}) } catch {} }
globalThis.requestAnimationFrame = () => 0
console.log = () => {}
const at = src.indexOf("async function", src.indexOf(m[0]) - 60)
src = src.slice(0, at) + ";globalThis.__importer=" + m[1] + ";" + src.slice(at)
import os from "node:os"
const tmp = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "speedscope-")), "b.mjs")
fs.writeFileSync(tmp, src)
import(url.pathToFileURL(tmp)).catch(e => { if (!globalThis.__importer) console.error(e) }).finally(async () => {
  fs.rmSync(path.dirname(tmp), {recursive: true})
  const importer = await globalThis.__importer
  const g = await importer.importProfileGroupFromText(path.basename(file), fs.readFileSync(file, "utf8"))
  const out = g.profiles.map(p => {
    const self = {}
    p.forEachFrame(f => { const w = f.getSelfWeight(); if (w) self[f.name] = (self[f.name] || 0) + w })
    return {name: p.getName(), unit: p.getWeightUnit(), total: p.getTotalNonIdleWeight(), self}
  })
  process.stdout.write(JSON.stringify(out) + "\n")
  process.exit(0)
})
