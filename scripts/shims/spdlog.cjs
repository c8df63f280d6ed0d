/**
 * @file Stands in for VS Code's native log writer, which npm would have to compile. Without one, output channels stay
 * empty. In: the calls of @vscode/spdlog that VS Code makes. Out: lines in the log's file.
 */
const { appendFileSync, mkdirSync } = require('node:fs');
const { dirname } = require('node:path');

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
let common = 2;

class Logger {
  constructor(_type, _name, file) {
    this.file = file;
    this.level = common;
    // An output channel's text goes to its file as it is.
    this.raw = false;
    mkdirSync(dirname(file), { recursive: true });
  }
  write(level, message) {
    if (level < this.level) return;
    const line = `${new Date().toISOString().replace('T', ' ').replace('Z', '')} [${levels[level]}] ${message}\n`;
    appendFileSync(this.file, this.raw ? message : line);
  }
  getLevel() {
    return this.level;
  }
  setLevel(level) {
    this.level = level;
  }
  clearFormatters() {
    this.raw = true;
  }
  setPattern() {}
  flush() {}
  drop() {}
}
levels.forEach((name, level) => {
  Logger.prototype[name] = function (message) {
    this.write(level, message);
  };
});

const create = async (name, file) => new Logger('rotating', name, file);
// Assigned one by one: VS Code imports these names from an ES module.
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = (level) => void (common = level);
exports.setFlushOn = () => {};
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
