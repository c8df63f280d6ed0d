/** @file Types of e2e.mjs. */
export interface ChromiumLaunch {
  readonly executablePath: string;
  readonly env: Record<string, string>;
  readonly args: string[];
}
export interface ServerOptions {
  readonly vscode: string;
  readonly runFolder: string;
  readonly workspace: string;
  readonly vsix?: readonly string[];
  readonly settings?: object;
  readonly trusted?: boolean;
}
export interface Server {
  readonly url: string;
  readonly pid: number;
  readonly closed: Promise<unknown>;
  stop(): Promise<void>;
}
export const cacheFolder: string;
export const repository: string;
export function findChromium(): Promise<ChromiumLaunch>;
export function packageVsix(file: string): Promise<void>;
export function startServer(options: ServerOptions): Promise<Server>;
export function installVscode(say?: (text: string) => void): Promise<string>;
export function makeWorkspace(folder: string): Promise<string>;
