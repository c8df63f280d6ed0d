/**
 * @file What types mean to a graph. In: the checker and which files are JitLens's own. Out: whether a type is a tensor, a
 * module or a plain value. Tensors are known by where they are declared, never by name.
 */
import { ts, type TS } from '../typescript.ts';
import type { Project } from '../project.ts';
import { Quick } from './quick.ts';

/** Kinds that a value of a graph can have; two values of one kind can take each other's place. */
export type ValueKind =
  'tensor' | 'number' | 'boolean' | 'string' | 'tuple' | 'array' | 'record' | 'module' | 'function' | 'none' | 'any' | 'other';

export class Types {
  private readonly quick = new Quick(this);
  private readonly nodes = new Map<TS.Node, TS.Type>();
  private readonly symbols = new Map<TS.Node, TS.Symbol | undefined>();
  private readonly classes = new Map<TS.Type, ReadonlySet<string>>();
  private readonly nothing = ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Void;

  constructor(
    readonly checker: TS.TypeChecker,
    private readonly project: Project,
  ) {}

  of(node: TS.Node): TS.Type {
    let type = this.nodes.get(node);
    if (!type) this.nodes.set(node, (type = this.quick.type(node) ?? this.checker.getTypeAtLocation(node)));
    return type;
  }

  /** The type that a variable has wherever nothing narrows it. */
  ofVariable(symbol: TS.Symbol): TS.Type {
    return this.quick.declared(symbol) ?? this.checker.getTypeOfSymbol(symbol);
  }

  /** The symbol that a name stands for, where it is declared. */
  symbol(node: TS.Node): TS.Symbol | undefined {
    const known = this.symbols.get(node);
    if (known || this.symbols.has(node)) return known;
    const symbol = this.lookUp(node);
    this.symbols.set(node, symbol);
    return symbol;
  }

  private lookUp(node: TS.Node): TS.Symbol | undefined {
    const { parent } = node;
    if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
      const member = this.quick.member(parent);
      if (member) return member;
    }
    let symbol = this.checker.getSymbolAtLocation(node);
    if (symbol && ts.isShorthandPropertyAssignment(node.parent))
      symbol = this.checker.getShorthandAssignmentValueSymbol(node.parent);
    if (symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = this.checker.getAliasedSymbol(symbol);
    return symbol;
  }

  isUnresolvedImport(node: TS.Node): boolean {
    const symbol = this.checker.getSymbolAtLocation(node);
    if (!symbol || (symbol.flags & ts.SymbolFlags.Alias) === 0) return false;
    return !this.checker.getAliasedSymbol(symbol).declarations;
  }

  isOwn(symbol: TS.Symbol | undefined): boolean {
    const file = symbol?.declarations?.[0]?.getSourceFile().fileName;
    return file !== undefined && this.project.isOwn(file);
  }

  isOwnFile(file: TS.SourceFile): boolean {
    return this.project.isOwn(file.fileName);
  }

  get strictNulls(): boolean {
    return this.project.strictNulls;
  }

  get uncheckedIndices(): boolean {
    return this.project.uncheckedIndices;
  }

  /** `jit.script` for a name that means it, however it was imported; `range`, `nn.Linear` likewise. */
  ownName(node: TS.Node): string | undefined {
    const name = ts.isPropertyAccessExpression(node) ? node.name : node;
    if (!ts.isIdentifier(name)) return undefined;
    const symbol = this.symbol(name);
    if (!symbol || !this.isOwn(symbol)) return undefined;
    const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? '';
    const folder = /\/(jit|script|nn|optim|data|autograd)\/[^/]+$/.exec(file)?.[1];
    // What a namespace calls it, which may be a word that no declaration can have, as `export`.
    const called = ts.isPropertyAccessExpression(node) ? name.text : symbol.name;
    return folder === undefined ? called : `${folder === 'script' ? 'jit' : folder}.${called}`;
  }

  /** Names of JitLens's classes that a type is, or extends. */
  private classNames(type: TS.Type): ReadonlySet<string> {
    const known = this.classes.get(type);
    if (known) return known;
    const names = new Set<string>();
    this.classes.set(type, names);
    const symbol = type.getSymbol();
    if (symbol && this.isOwn(symbol)) names.add(symbol.name);
    if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) {
      const constraint = this.checker.getBaseConstraintOfType(type);
      if (constraint && constraint !== type) for (const name of this.classNames(constraint)) names.add(name);
    }
    const declared = symbol && (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) !== 0;
    if (declared) {
      const target = (type as TS.TypeReference).target as TS.GenericType | undefined;
      const bases = this.checker.getBaseTypes((target ?? type) as TS.InterfaceType);
      for (const base of bases) for (const name of this.classNames(base)) names.add(name);
    }
    if (type.isIntersection()) for (const part of type.types) for (const name of this.classNames(part)) names.add(name);
    return names;
  }

  isClass(type: TS.Type, name: string): boolean {
    return this.classNames(type).has(name);
  }

  /** The members of a union but `undefined` and `null`. */
  parts(type: TS.Type): readonly TS.Type[] {
    if (!type.isUnion()) return (type.flags & this.nothing) === 0 ? [type] : [];
    return type.types.filter((t) => (t.flags & this.nothing) === 0);
  }

  isOptional(type: TS.Type): boolean {
    if (!type.isUnion()) return (type.flags & this.nothing) !== 0;
    return type.types.some((t) => (t.flags & this.nothing) !== 0);
  }

  /** A tensor and nothing else. */
  isTensor(type: TS.Type): boolean {
    return !this.isOptional(type) && this.isTensorOrNone(type);
  }

  isTensorOrNone(type: TS.Type): boolean {
    if (!type.isUnion()) return this.isClass(type, 'Tensor');
    const parts = this.parts(type);
    return parts.length > 0 && parts.every((t) => this.isClass(t, 'Tensor'));
  }

  mayBeTensor(type: TS.Type): boolean {
    return type.isUnion() ? type.types.some((t) => this.isClass(t, 'Tensor')) : this.isClass(type, 'Tensor');
  }

  isModule(type: TS.Type): boolean {
    const parts = this.parts(type);
    return parts.length > 0 && parts.every((t) => this.isClass(t, 'Module') || this.isClass(t, 'Layer'));
  }

  isAny(type: TS.Type): boolean {
    return (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0;
  }

  kind(type: TS.Type): ValueKind {
    const { flags } = type;
    const f = ts.TypeFlags;
    if ((flags & (f.Any | f.Unknown)) !== 0) return 'any';
    if ((flags & f.NumberLike) !== 0) return 'number';
    if ((flags & f.BooleanLike) !== 0) return 'boolean';
    if ((flags & f.StringLike) !== 0) return 'string';
    if ((flags & (f.Undefined | f.Null | f.Void)) !== 0) return 'none';
    if (this.isClass(type, 'Tensor')) return 'tensor';
    if (this.isClass(type, 'Module') || this.isClass(type, 'Layer')) return 'module';
    if (this.checker.isTupleType(type)) return 'tuple';
    if (this.checker.isArrayType(type)) return 'array';
    if (type.getCallSignatures().length > 0) return 'function';
    if ((flags & f.Object) !== 0) return 'record';
    if ((flags & f.TypeParameter) !== 0) {
      const constraint = this.checker.getBaseConstraintOfType(type);
      return constraint && constraint !== type && !constraint.isUnion() ? this.kind(constraint) : 'other';
    }
    return 'other';
  }

  /** The kinds that a value may have, without `none`, in order. */
  kinds(type: TS.Type): ValueKind[] {
    return [...new Set(this.parts(type).map((t) => this.kind(t)))];
  }

  /** For a sentence: `Tensor`, `number`, `[Tensor, number]`. */
  describe(type: TS.Type): string {
    const kind = this.kind(type);
    if (kind === 'tensor') return 'Tensor';
    if (kind === 'number' || kind === 'boolean' || kind === 'string') return kind;
    const text = this.checker.typeToString(type);
    return text.length > 40 ? kind : text;
  }

  /** `Tensor or number`. */
  describeAll(type: TS.Type): string {
    return [...new Set(this.parts(type).map((t) => this.describe(t)))].join(' or ');
  }

  /** Element type of an array or a readonly array. */
  elementOf(type: TS.Type): TS.Type | undefined {
    return this.checker.isArrayType(type) ? this.checker.getTypeArguments(type as TS.TypeReference)[0] : undefined;
  }

  /** `T[]` or `Array<T>`, which can be written. */
  isMutableArray(type: TS.Type): boolean {
    return this.parts(type).some((t) => this.checker.isArrayType(t) && t.getSymbol()?.name === 'Array');
  }

  private library: ((file: string) => boolean) | undefined;

  /** A declaration of TypeScript's own library, or of Node's. */
  isHost(symbol: TS.Symbol): boolean {
    this.library ??= (file) => /\/(typescript\/lib\/lib\.|@types\/node\/)/.test(file);
    const file = symbol.declarations?.[0]?.getSourceFile().fileName;
    return file !== undefined && this.library(file);
  }
}
