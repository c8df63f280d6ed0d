/**
 * @file The analyser. In: files of a user's project, saved or not. Out: for each file its diagnostics and the functions that
 * work on tensors. No user code runs. Work is done for the files that are asked for; others are only followed along calls.
 */
import { dirname } from 'node:path';
import type { Diagnostic, FileReport } from '../profile/diagnostic.ts';
import { beyondOf, changeBetween, outsideOf, piecesOf, type Inside } from './facts/pieces.ts';
import { Reach, ReachCache } from './facts/reach.ts';
import { Types } from './facts/types.ts';
import { Writes } from './facts/writes.ts';
import { FileCheck, type Facts } from './file-check.ts';
import { keepCompiled, sweep } from './compiled.ts';
import { Memo } from './memo.ts';
import { nearestConfig, normal, ownEntry, Project, Texts, type Loaded } from './project.ts';
import { rangeIn } from './ranges.ts';
import { ts, type TS } from './typescript.ts';

export interface AnalyserOptions {
  /** The types that `import 'jitlens'` means where the user's folder does not say; this package's own when left out. */
  readonly entry?: string;
}

/** A project with what is known about its present program. */
interface Known {
  readonly project: Project;
  readonly cache: ReachCache;
  loaded?: Loaded;
  facts?: Facts;
  /** What was found in files with the present program. */
  memos: Map<string, Memo>;
  /** The program before, where only one file changed since. */
  before?: Before;
}

interface Before {
  readonly file: string;
  readonly facts: Facts;
  readonly memo: Memo | undefined;
}

export const SYNTAX = 'JLR-SYNTAX';

export class Analyser {
  private readonly texts = new Texts();
  private readonly projects = new Map<string, Known>();
  private readonly configs = new Map<string, string | undefined>();
  private readonly entry: string;
  /** How many of a file's outermost functions the last check looked at, not remembering them from before. */
  lookedAt = 0;

  constructor(options: AnalyserOptions = {}) {
    this.entry = normal(options.entry ?? ownEntry());
  }

  /** A file has this text now, unsaved; without a text it is what the disk says, read anew. */
  update(file: string, text: string | undefined): void {
    const path = normal(file);
    if (path.endsWith('tsconfig.json')) {
      this.configs.clear();
      this.projects.clear();
    }
    const was = this.texts.of(path);
    this.texts.set(path, text);
    const is = this.texts.of(path);
    if (was === is) return;
    for (const { project } of this.projects.values()) project.changed(path, was === undefined || is === undefined);
  }

  /** What is wrong with the settings of the projects that were looked at. */
  problems(): string[] {
    return [...new Set([...this.projects.values()].flatMap(({ project }) => project.problems))];
  }

  checkAll(files: readonly string[]): FileReport[] {
    // Known before the first is checked, so that one program has them all.
    for (const file of files) this.projectOf(normal(file)).project.add(normal(file));
    return files.map((file) => this.check(file));
  }

  check(file: string): FileReport {
    const path = normal(file);
    const empty: FileReport = { file, diagnostics: [], functions: [] };
    if (path.endsWith('.tsx') || path.endsWith('.jsx')) return empty;
    const known = this.projectOf(path);
    known.project.add(path);
    const { program } = this.load(known);
    const source = program.getSourceFile(path);
    if (!source) return empty;
    const [broken] = program.getSyntacticDiagnostics(source);
    if (broken) return { ...empty, diagnostics: [syntax(file, source, broken)] };
    if (known.project.isOwn(path) || !known.project.reaches(path)) return empty;
    const facts = this.factsOf(known);
    let memo = known.memos.get(path);
    if (!memo) known.memos.set(path, (memo = new Memo()));
    memo.lookedAt.clear();
    const report = new FileCheck(source, file, facts, memo).report();
    this.lookedAt = memo.lookedAt.size;
    return report;
  }

  /** Between questions: what was made for the last answer is swept up, and the compiler's code is kept for the next process. */
  rest(): void {
    keepCompiled();
    sweep();
  }

  private projectOf(file: string): Known {
    const folder = dirname(file);
    if (!this.configs.has(folder)) this.configs.set(folder, nearestConfig(file));
    const config = this.configs.get(folder);
    const key = config ?? '';
    let known = this.projects.get(key);
    if (!known) {
      const project = new Project(
        config === undefined ? folder : dirname(config),
        config && normal(config),
        this.texts.of,
        this.entry,
      );
      this.projects.set(key, (known = { project, cache: new ReachCache(), memos: new Map() }));
    }
    return known;
  }

  private load(known: Known): Loaded {
    const loaded = known.project.load();
    if (known.loaded !== loaded) {
      const [file, ...more] = known.project.takeChanges() ?? [];
      const { facts, memos, before } = known;
      if (file === undefined || more.length > 0) known.before = undefined;
      else if (facts) known.before = { file, facts, memo: memos.get(file) };
      // Texts with syntax errors in between, of which nothing was found out.
      else if (before?.file !== file) known.before = undefined;
      known.loaded = loaded;
      known.facts = undefined;
      known.memos = new Map();
    }
    return loaded;
  }

  private factsOf(known: Known): Facts {
    const loaded = this.load(known);
    if (known.facts) return known.facts;
    const types = new Types(loaded.checker, known.project);
    const { before } = known;
    known.before = undefined;
    const source = before && loaded.program.getSourceFile(before.file);
    const change = before && source ? this.inside(before, source, types) : undefined;
    const reach = new Reach(loaded, known.project, types, known.cache, change);
    if (before && change) {
      const same = beyondOf(change.was, before.facts.types) === beyondOf(change.is, types);
      if (before.memo) known.memos.set(before.file, before.memo.after(change, before.file, same));
    }
    return (known.facts = { types, writes: new Writes(types), reach, program: loaded.program });
  }

  /** The change of one function's body that no other function can see in its types, where there is no other. */
  private inside({ file, facts }: Before, is: TS.SourceFile, types: Types): Inside | undefined {
    const was = facts.program.getSourceFile(file);
    const change = was && changeBetween(was, is);
    const [a, b] = change ? [piecesOf(was).nodes[change.piece], piecesOf(is).nodes[change.piece]] : [];
    if (!change || !a || !b || outsideOf(a, facts.types) !== outsideOf(b, types)) return undefined;
    return { ...change, file, was: a, is: b };
  }
}

function syntax(file: string, source: TS.SourceFile, { start, length, messageText }: TS.DiagnosticWithLocation): Diagnostic {
  return {
    code: SYNTAX,
    severity: 'error',
    message: ts.flattenDiagnosticMessageText(messageText, ' '),
    range: rangeIn(source, { start, end: start + length }, file),
    related: [],
    fixes: [],
  };
}
