// Speaks to `cortexkey lsp` with the protocol packages that editors are made of.
//
// usage: node client.mjs BINARY EXTENSION FOLDER, where EXTENSION has the node_modules

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [binary, modules, folder] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const protocol = require("vscode-languageserver-protocol/node");

const POLICY = `apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/*.yaml]
`;
const KEY = `apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-export
  owner: team-detection
spec:
  securityLevel: standard
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer, Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
`;

mkdirSync(join(folder, "keys"), { recursive: true });
writeFileSync(join(folder, "cortexkey.yaml"), POLICY);
const path = join(folder, "keys/svc-export.yaml");
writeFileSync(path, KEY);
const uri = pathToFileURL(path).href;

const server = spawn(binary, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
const ended = new Promise((resolve) => server.on("exit", resolve));
const connection = protocol.createProtocolConnection(server.stdout, server.stdin, console);
let wake = () => {};
let shown = [];
connection.onNotification(protocol.PublishDiagnosticsNotification.type, (params) => {
  if (params.uri === uri) {
    shown = params.diagnostics;
    wake();
  }
});
connection.onRequest(protocol.RegistrationRequest.type, () => {});
connection.listen();

/** Waits until the diagnostics of the file are as wanted. */
async function until(wanted) {
  while (!wanted(shown.map((it) => it.code))) {
    await new Promise((resolve) => (wake = resolve));
  }
}

const answer = await connection.sendRequest(protocol.InitializeRequest.type, {
  processId: process.pid,
  rootUri: pathToFileURL(folder).href,
  workspaceFolders: [{ uri: pathToFileURL(folder).href, name: "test" }],
  capabilities: {
    workspace: { didChangeWatchedFiles: { dynamicRegistration: true }, workspaceFolders: true },
    textDocument: { codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } } },
  },
});
assert.equal(answer.serverInfo.name, "cortexkey");
await connection.sendNotification(protocol.InitializedNotification.type, {});
const document = { uri, languageId: "yaml", version: 1, text: KEY };
await connection.sendNotification(protocol.DidOpenTextDocumentNotification.type, { textDocument: document });
await until((codes) => codes.includes("level-standard-forbidden") && codes.includes("role-duplicate"));

const whole = { start: { line: 0, character: 0 }, end: { line: 20, character: 0 } };
const actions = await connection.sendRequest(protocol.CodeActionRequest.type, {
  textDocument: { uri },
  range: whole,
  context: { diagnostics: shown, only: [protocol.CodeActionKind.SourceFixAll] },
});
assert.equal(actions.length, 1, JSON.stringify(actions));
const edits = actions[0].edit.changes[uri];
assert.deepEqual(edits.map((it) => it.newText), [""]);
const hover = await connection.sendRequest(protocol.HoverRequest.type, {
  textDocument: { uri },
  position: { line: 6, character: 4 },
});
assert.ok(JSON.stringify(hover.contents).includes("standard"));
const completion = await connection.sendRequest(protocol.CompletionRequest.type, {
  textDocument: { uri },
  position: { line: 6, character: 17 },
});
assert.deepEqual((completion.items ?? completion).map((it) => it.label), ["standard", "advanced"]);

await connection.sendNotification(protocol.DidChangeTextDocumentNotification.type, {
  textDocument: { uri, version: 2 },
  contentChanges: [{ text: KEY.replace("standard", "advanced") }],
});
await until((codes) => !codes.includes("level-standard-forbidden"));
assert.equal(readFileSync(path, "utf8"), KEY, "the server writes no file");
await connection.sendRequest(protocol.ShutdownRequest.type);
await connection.sendNotification(protocol.ExitNotification.type);
assert.equal(await ended, 0);
console.log("ok  vscode-languageserver-protocol");
