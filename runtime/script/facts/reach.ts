/**
 * @file Which functions are scripted or traced, across files. In: a program. Out: for each function that a script or a trace
 * reaches, the calls that lead to it. What was found out about a file is kept until it, or what others declare, changes.
 */
import type { Loaded, Project } from '../project.ts';
import { ts, type TS } from '../typescript.ts';
import { declaredFunctions, functionsOf, isFunction, isWithin, keyOf, nameNode, walk, type FunctionNode } from './functions.ts';
import { returnsOf } from './flow.ts';
import { moved, piecesOf, type Inside } from './pieces.ts';
import type { Types } from './types.ts';
import { lastWord } from './words.ts';

export type Mode = 'scripted' | 'traced';

export interface Place {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface CallTo {
  readonly key: string;
  readonly place: Place;
}

export interface Reached {
  readonly mode: Mode;
  /** The calls that lead here, the nearest first; none for what is scripted itself. */
  readonly chain: readonly { readonly caller: string; readonly place: Place }[];
}

/** What is scripted or traced by the call or declaration that begins at a place. */
interface Root {
  readonly key: string;
  readonly mode: Mode;
  readonly start: number;
  readonly end: number;
}

interface FileFacts {
  readonly source: TS.SourceFile;
  roots: readonly Root[];
  readonly calls: Map<string, readonly CallTo[]>;
}

/** Kept between programs. */
export class ReachCache {
  readonly files = new Map<string, FileFacts>();
  private shapes = new Map<string, string>();

  /**
   * Forgets all when a file declares other things than before: names may mean something else then. A change inside a function
   * that others cannot see costs no more than that function.
   */
  renew(sources: readonly TS.SourceFile[], inside: Inside | undefined): readonly TS.Node[] {
    const shapes = new Map(sources.map((s) => [s.fileName, piecesOf(s).rest]));
    const same = shapes.size === this.shapes.size && [...shapes].every(([file, shape]) => this.shapes.get(file) === shape);
    if (!same) this.files.clear();
    this.shapes = shapes;
    let again: readonly TS.Node[] = [];
    for (const source of sources) {
      const facts = this.files.get(source.fileName);
      if (!facts || facts.source === source) continue;
      const kept = inside?.file === source.fileName ? movedFacts(facts, source, inside) : undefined;
      if (!kept || !inside) this.files.delete(source.fileName);
      else {
        this.files.set(source.fileName, kept);
        again = [inside.is];
      }
    }
    return again;
  }
}

/** The facts without those about the changed function; none where functions have other keys now. */
function movedFacts({ source, roots, calls }: FileFacts, is: TS.SourceFile, { was, shift }: Inside): FileFacts | undefined {
  if (was.getSourceFile() !== source) return undefined;
  const [before, after] = [functionsOf(source), functionsOf(is)];
  if ([...before.keys()].join() !== [...after.keys()].join()) return undefined;
  const kept = new Map<string, readonly CallTo[]>();
  for (const [key, list] of calls) {
    const fn = before.get(key);
    if (!fn || isWithin(fn, was)) continue;
    kept.set(
      key,
      list.map((call) => ({ ...call, place: moved(call.place, shift) ?? call.place })),
    );
  }
  return { source: is, roots: roots.flatMap((root) => moved(root, shift) ?? []), calls: kept };
}

/** Names that make a class or call worth a look; most files have none of them. */
const NAMES = /\b(script|scriptMethod|export|ScriptModule|trace|traceModule|example)\b|\bextends\b/;

const CALLS: ReadonlySet<string> = new Set(['script', 'trace', 'traceModule', 'example']);

export class Reach {
  private readonly reached = new Map<string, Reached>();

  constructor(
    { program }: Loaded,
    project: Project,
    private readonly types: Types,
    private readonly cache: ReachCache,
    inside?: Inside,
  ) {
    const sources = program
      .getSourceFiles()
      .filter((s) => !s.isDeclarationFile && !project.isOwn(s.fileName) && project.reaches(s.fileName));
    this.sources = new Map(sources.map((s) => [s.fileName, s]));
    for (const piece of cache.renew(sources, inside)) {
      const facts = this.factsOf(piece.getSourceFile());
      facts.roots = [...facts.roots, ...this.rootsOf(piece)];
    }
    this.follow('scripted');
    this.follow('traced');
  }

  private readonly sources: ReadonlyMap<string, TS.SourceFile>;

  /** What functions of the user's are called, where they are declared and where they are imported. */
  private get names(): ReadonlySet<string> {
    return (this.known ??= new Set([...this.sources.values()].flatMap((source) => [...namesIn(source)])));
  }

  private known: ReadonlySet<string> | undefined;

  of(fn: FunctionNode): Reached | undefined {
    return this.reached.get(keyOf(fn));
  }

  functionOf(key: string): FunctionNode | undefined {
    const source = this.sources.get(key.slice(0, key.lastIndexOf('#')));
    return source && functionsOf(source).get(key);
  }

  private follow(mode: Mode): void {
    const queue = [...this.sources.values()]
      .flatMap((s) => this.factsOf(s).roots)
      .filter((root) => root.mode === mode)
      .map(({ key }) => ({ key, chain: [] as Reached['chain'] }));
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { key, chain } = next;
      const fn = this.functionOf(key);
      if (!fn || this.reached.has(key) || isExcluded(fn, this.types)) continue;
      this.reached.set(key, { mode, chain });
      for (const call of this.callsOf(fn)) queue.push({ key: call.key, chain: [{ caller: key, place: call.place }, ...chain] });
    }
  }

  private factsOf(source: TS.SourceFile): FileFacts {
    const known = this.cache.files.get(source.fileName);
    if (known) return known;
    const facts: FileFacts = { source, roots: NAMES.test(source.text) ? this.rootsOf(source) : [], calls: new Map() };
    this.cache.files.set(source.fileName, facts);
    return facts;
  }

  private rootsOf(within: TS.Node): Root[] {
    const roots: Root[] = [];
    let at = within.pos;
    const add = (mode: Mode, functions: readonly FunctionNode[]) =>
      roots.push(...functions.map((fn) => ({ key: keyOf(fn), mode, start: at, end: at })));
    const look = (node: TS.Node) => {
      at = node.pos;
      if (ts.isCallExpression(node)) {
        const [target] = node.arguments;
        const name = target && CALLS.has(lastWord(node.expression) ?? '') ? this.types.ownName(node.expression) : undefined;
        if (target && name === 'jit.script') add('scripted', this.targets(target));
        if (target && (name === 'jit.trace' || name === 'jit.traceModule')) add('traced', this.targets(target));
        if (target && name === 'jit.example') add('traced', this.made(target));
      } else if (ts.isClassLike(node) && node.heritageClauses) {
        const isScript = this.types.isClass(this.types.of(node), 'ScriptModule');
        for (const member of node.members) {
          if (!ts.isMethodDeclaration(member) || !member.body) continue;
          at = member.pos;
          const forward = isScript && member.name.getText() === 'forward';
          if (forward || decorators(member, this.types).some((d) => d === 'jit.scriptMethod' || d === 'jit.export'))
            add('scripted', [member]);
        }
      }
      return true;
    };
    look(within);
    walk(within, look);
    return roots;
  }

  /** The functions that an expression means: a function, or a module's `forward`. */
  private targets(expression: TS.Expression): FunctionNode[] {
    if (isFunction(expression)) return [expression];
    const named = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
    const direct = ts.isIdentifier(named) ? declaredFunctions(this.types.symbol(named)) : [];
    if (direct.length > 0) return this.mine(direct);
    const type = this.types.of(expression);
    const forward = this.types.isModule(type) ? type.getProperty('forward') : undefined;
    if (forward) return this.mine(declaredFunctions(forward));
    // `jit.script(Block)`: the class.
    const instance = type.getConstructSignatures()[0]?.getReturnType();
    return instance && this.types.isModule(instance) ? this.mine(declaredFunctions(instance.getProperty('forward'))) : [];
  }

  /** What a function that makes a module or a function gives. */
  private made(make: TS.Expression): FunctionNode[] {
    if (!isFunction(make)) return [];
    if (ts.isArrowFunction(make) && !ts.isBlock(make.body)) return this.targets(make.body);
    return returnsOf(make).flatMap(({ expression }) => (expression ? this.targets(expression) : []));
  }

  private mine(functions: readonly FunctionNode[]): FunctionNode[] {
    return functions.filter((fn) => this.sources.has(fn.getSourceFile().fileName));
  }

  /** Calls of the user's own functions from `fn` and the functions inside it. */
  callsOf(fn: FunctionNode): readonly CallTo[] {
    const source = fn.getSourceFile();
    const key = keyOf(fn);
    const { calls } = this.factsOf(source);
    const known = calls.get(key);
    if (known) return known;
    const found: CallTo[] = [];
    const add = (name: TS.MemberName) => {
      // Most calls are of methods that no function of the user's is called like.
      if (!this.names.has(name.text)) return;
      for (const callee of this.mine(declaredFunctions(this.types.symbol(name)))) {
        const inside = callee.pos > fn.pos && callee.end <= fn.end && callee.getSourceFile() === source;
        if (inside || isExcluded(callee, this.types)) continue;
        found.push({ key: keyOf(callee), place: { file: source.fileName, start: name.getStart(), end: name.end } });
      }
    };
    walk(fn, (node) => {
      if (ts.isCallExpression(node)) {
        const { expression } = node;
        if (ts.isIdentifier(expression)) add(expression);
        else if (ts.isPropertyAccessExpression(expression)) add(expression.name);
        for (const argument of node.arguments) if (ts.isIdentifier(argument)) add(argument);
      }
      return true;
    });
    calls.set(key, found);
    return found;
  }
}

const namesOf = new WeakMap<TS.SourceFile, ReadonlySet<string>>();

function namesIn(source: TS.SourceFile): ReadonlySet<string> {
  const known = namesOf.get(source);
  if (known) return known;
  const names = new Set<string>();
  for (const fn of functionsOf(source).values()) {
    const name = nameNode(fn);
    if (name && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name))) names.add(name.text);
  }
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const { name, namedBindings } = statement.importClause ?? {};
      if (name) names.add(name.text);
      if (namedBindings && ts.isNamedImports(namedBindings)) for (const e of namedBindings.elements) names.add(e.name.text);
    } else if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
      for (const e of statement.exportClause.elements) names.add(e.name.text);
  }
  namesOf.set(source, names);
  return names;
}

/** `jit.unused` for `@jit.unused`, in order. */
export function decorators(node: TS.Node, types: Types): string[] {
  if (!ts.canHaveDecorators(node)) return [];
  return (ts.getDecorators(node) ?? []).flatMap(({ expression }) => {
    const name = types.ownName(ts.isCallExpression(expression) ? expression.expression : expression);
    return name === undefined ? [] : [name];
  });
}

/** Whether it is kept out of graphs: `@jit.unused`, `@jit.ignore`, or a function made by one of them. */
export function isExcluded(fn: FunctionNode, types: Types): 'jit.unused' | 'jit.ignore' | undefined {
  const { parent } = fn;
  const made = ts.isCallExpression(parent) ? types.ownName(parent.expression) : undefined;
  return [...decorators(fn, types), made].find((name) => name === 'jit.unused' || name === 'jit.ignore');
}
