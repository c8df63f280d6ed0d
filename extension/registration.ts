/** @file What can be undone. VS Code's own `Disposable` is a class; this is all that anyone here needs of it. */
export interface Registration {
  dispose(): unknown;
}
