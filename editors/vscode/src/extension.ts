// Starts `cortexkey lsp` for the YAML and JSON files of a folder, and restarts it when its settings change.

import { commands, ExtensionContext, window, workspace } from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("cortexkey.restart", restart),
    workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("cortexkey.path")) {
        await restart();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
  client = undefined;
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

async function start(): Promise<void> {
  const command = workspace.getConfiguration("cortexkey").get<string>("path") || "cortexkey";
  const server: ServerOptions = { command, args: ["lsp"] };
  const options: LanguageClientOptions = {
    documentSelector: ["yaml", "json", "jsonc"].map((language) => ({ scheme: "file", language })),
  };
  client = new LanguageClient("cortexkey", "cortexkey", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `cannot start ${command} lsp: ${reason}. Install cortexkey, or set cortexkey.path.`;
    void window.showErrorMessage(message);
  }
}
