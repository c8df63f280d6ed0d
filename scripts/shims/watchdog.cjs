/**
 * @file Stands in for VS Code's native watchdog. In: the server's process id. Out: the extension host, in which this
 * runs, ends soon after the server is gone.
 */
exports.start = (pid) => {
  const timer = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch {
      process.exit(87);
    }
  }, 1000);
  timer.unref();
};
exports.exit = (code) => process.exit(code);
