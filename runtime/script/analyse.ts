/**
 * @file The analyser. In: files of a user's project, saved or not. Out: for each file its diagnostics and the functions that
 * work on tensors. No user code runs. Work is done for the files that are asked for; others are only followed along calls.
 */
import { dirname } from 'node:path';
import { Context, type Found, type Running } from './context.ts';
import type { Kind, Rule } from './define.ts';
import type { Diagnostic, FileReport, FunctionReport, Range, Related } from './diagnostic.ts';
import { functionsOf, isWithin, nameNode, nameOf, type FunctionNode } from './facts/functions.ts';
import { isExcluded, Reach, ReachCache, type Place, type Reached } from './facts/reach.ts';
import { Types } from './facts/types.ts';
import { worksOnTensors } from './facts/units.ts';
import { Writes } from './facts/writes.ts';
import { nearestConfig, normal, ownEntry, Project, Texts, type Loaded } from './project.ts';
import { rules } from './rules/table.ts';
import { withoutSuppressed } from './suppress.ts';
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
  types?: Types;
  writes?: Writes;
  reach?: Reach;
}

interface Finding extends Found {
  readonly everywhere: boolean;
}

export const SYNTAX = 'JLR-SYNTAX';
const allCodes: ReadonlySet<string> = new Set(rules.map((rule) => rule.code));
const MAX_CHAIN = 8;

export class Analyser {
  private readonly texts = new Texts();
  private readonly projects = new Map<string, Known>();
  private readonly configs = new Map<string, string | undefined>();
  private readonly entry: string;

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
    if (was === this.texts.of(path)) return;
    for (const { project } of this.projects.values()) project.changed(path);
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
    return new FileCheck(source, file, this.factsOf(known)).report();
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
      this.projects.set(key, (known = { project, cache: new ReachCache() }));
    }
    return known;
  }

  private load(known: Known): Loaded {
    const loaded = known.project.load();
    if (known.loaded !== loaded) {
      known.loaded = loaded;
      known.types = known.writes = known.reach = undefined;
    }
    return loaded;
  }

  private factsOf(known: Known): Facts {
    const loaded = this.load(known);
    const types = (known.types ??= new Types(loaded.checker, known.project));
    const writes = (known.writes ??= new Writes(types));
    const reach = (known.reach ??= new Reach(loaded, known.project, types, known.cache));
    return { types, writes, reach, program: loaded.program };
  }
}

interface Facts {
  readonly program: TS.Program;
  readonly types: Types;
  readonly writes: Writes;
  readonly reach: Reach;
}

/** Rules by the kind of node that they look at. */
type Lookup = ReadonlyMap<TS.SyntaxKind, readonly Rule[]>;
const lookups = new Map<string, Lookup>();

function lookup(name: string, wanted: (rule: Rule) => boolean): Lookup {
  const known = lookups.get(name);
  if (known) return known;
  const found = new Map<TS.SyntaxKind, Rule[]>();
  for (const rule of rules) {
    if (!wanted(rule)) continue;
    for (const kind of rule.on) {
      if (kind === 'Unit') continue;
      const key = ts.SyntaxKind[kind satisfies Exclude<Kind, 'Unit'>];
      found.set(key, [...(found.get(key) ?? []), rule]);
    }
  }
  lookups.set(name, found);
  return found;
}

class FileCheck {
  constructor(
    private readonly source: TS.SourceFile,
    private readonly file: string,
    private readonly facts: Facts,
  ) {}

  report(): FileReport {
    const { source } = this;
    const { types, reach } = this.facts;
    const everywhere = this.run(source, undefined, 'eager');
    const found: Finding[] = [...everywhere];
    const functions: FunctionReport[] = [];
    const units: FunctionNode[] = [];
    for (const fn of functionsOf(source).values()) {
      const reached = reach.of(fn);
      if (isExcluded(fn, types)) continue;
      const inner = units.some((unit) => isWithin(fn, unit));
      const isUnit = !inner && worksOnTensors(fn, types);
      if (!isUnit && (!reached || (inner && this.covered(fn, units, reached)))) continue;
      if (isUnit) units.push(fn);
      const own = this.run(fn, fn, 'scripted');
      const related = this.chain(reached);
      if (reached?.mode === 'scripted') found.push(...own.map((f) => ({ ...f, related: [...f.related, ...related] })));
      else if (reached) {
        const warnings = this.run(fn, fn, 'traced');
        found.push(...warnings.map((f) => ({ ...f, severity: 'warning' as const, related: [...f.related, ...related] })));
      }
      if (!isUnit && inner) continue;
      const inside = everywhere.filter((f) => f.span.start >= fn.pos && f.span.end <= fn.end);
      const obstacles = distinct([...own, ...inside].filter((f) => f.severity === 'error'));
      functions.push({
        name: nameOf(fn),
        range: nameNode(fn) ? this.range(nodeSpan(nameNode(fn) ?? fn)) : this.firstLine(fn),
        scripted: reached?.mode === 'scripted',
        obstacles: obstacles.map((f) => this.diagnostic(f)),
      });
    }
    const kept = withoutSuppressed(source, distinct(found), allCodes);
    return { file: this.file, diagnostics: distinct(kept).map((f) => this.diagnostic(f)), functions };
  }

  /** Whether what is found in an inner function is found with the function around it. */
  private covered(fn: FunctionNode, units: readonly FunctionNode[], reached: Reached): boolean {
    return units.some((unit) => isWithin(fn, unit) && this.facts.reach.of(unit)?.mode === reached.mode);
  }

  /** The rules on everything below a node. */
  private run(root: TS.Node, unit: FunctionNode | undefined, running: Running): Finding[] {
    const found: Finding[] = [];
    const { types, writes, reach } = this.facts;
    const wanted = (rule: Rule) =>
      running === 'eager' ? rule.everywhere : !rule.everywhere && (running === 'scripted' || rule.traced);
    const byKind = lookup(running, wanted);
    const contexts = new Map<Rule, Context>();
    const contextOf = (rule: Rule): Context => {
      const known = contexts.get(rule);
      if (known) return known;
      const context = new Context(this.source, types, writes, reach, unit, running, (span, message, more) => {
        const severity = more.severity ?? rule.severity ?? 'hint';
        const fixes = (more.fixes ?? []).flatMap((f) => (f ? [f] : []));
        found.push({ code: rule.code, severity, message, span, related: more.related ?? [], fixes, everywhere: rule.everywhere });
      });
      contexts.set(rule, context);
      return context;
    };
    const visit = (node: TS.Node): void => {
      for (const rule of byKind.get(node.kind) ?? []) rule.check(node, contextOf(rule));
      // What is kept out of graphs is kept out here.
      ts.forEachChild(node, (child) => {
        if (unit && !ts.isTypeNode(child) && !ts.isDecorator(child)) visit(child);
        else if (!unit) visit(child);
      });
    };
    if (unit) for (const rule of rules) if (rule.on.includes('Unit') && wanted(rule)) rule.check(unit, contextOf(rule));
    visit(root);
    return found;
  }

  private chain(reached: Reached | undefined): { message: string; node: TS.Node; place: Place }[] {
    return (reached?.chain ?? []).slice(0, MAX_CHAIN).flatMap(({ caller, place }) => {
      const fn = this.facts.reach.functionOf(caller);
      return fn ? [{ message: `called from ‘${nameOf(fn)}’`, node: fn, place }] : [];
    });
  }

  private diagnostic(f: Found): Diagnostic {
    return {
      code: f.code,
      severity: f.severity,
      message: f.message,
      range: this.range(f.span),
      related: f.related.map((r): Related => {
        const place = 'place' in r ? (r.place as Place) : { ...nodeSpan(r.node), file: r.node.getSourceFile().fileName };
        const source = this.facts.program.getSourceFile(place.file) ?? this.source;
        return { message: r.message, range: rangeIn(source, place, source === this.source ? this.file : place.file) };
      }),
      fixes: f.fixes.map(({ title, changes }) => ({
        title,
        edits: changes.map((c) => ({ range: this.range(c), text: c.text })),
      })),
    };
  }

  private range(span: { readonly start: number; readonly end: number }): Range {
    return rangeIn(this.source, span, this.file);
  }

  private firstLine(fn: FunctionNode): Range {
    const start = fn.getStart();
    const line = this.source.text.indexOf('\n', start);
    return this.range({ start, end: line < 0 ? fn.end : Math.min(line, fn.end) });
  }
}

function nodeSpan(node: TS.Node): { readonly start: number; readonly end: number } {
  return { start: node.getStart(), end: node.end };
}

function rangeIn(source: TS.SourceFile, { start, end }: { readonly start: number; readonly end: number }, file: string): Range {
  const at = (position: number) => {
    const { line, character } = source.getLineAndCharacterOfPosition(position);
    return { line: line + 1, column: character + 1 };
  };
  return { file, start: at(start), end: at(end) };
}

/** In order of place, each once. */
function distinct<F extends Found>(found: readonly F[]): F[] {
  const seen = new Map<string, F>();
  for (const f of found) {
    const key = `${f.code} ${f.span.start} ${f.span.end}`;
    if (!seen.has(key)) seen.set(key, f);
  }
  return [...seen.values()].sort(
    (a, b) => a.span.start - b.span.start || a.span.end - b.span.end || a.code.localeCompare(b.code),
  );
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
