/** Lint: typed rules, one direction of imports, no cycles, small files. */
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** From the user's module down to the device: a folder imports only folders after it, and the shared ones. */
const layers = ['cli', 'portable', 'host', 'load', 'script', 'jit', 'passes', 'kernels', 'ir', 'device'];
const shared = ['nn', 'optim', 'data', 'autograd', 'ops', 'tensor', 'profile'];

const above = (layer) => layers.slice(0, layers.indexOf(layer));
const direction = layers.map((layer) => ({ target: `./runtime/${layer}`, from: above(layer).map((x) => `./runtime/${x}`) }));

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.cache', '.gpu'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.tsx'] } } },
    rules: {
      'max-lines': ['error', { max: 600 }],
      'import-x/no-default-export': 'error',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...direction.filter(({ from }) => from.length > 0),
            ...shared.map((name) => ({ target: `./runtime/${name}`, from: layers.map((x) => `./runtime/${x}`) })),
            { target: './runtime', from: ['./extension', './webview', './test'] },
            { target: './webview', from: ['./extension', './test'] },
            { target: './webview', from: './runtime', except: ['./profile', './host/protocol.ts', './tensor/dtype.ts'] },
            {
              target: './extension',
              from: './runtime',
              except: [
                './profile',
                './host/client.ts',
                './host/analyser-client.ts',
                './host/protocol.ts',
                './script/diagnostic.ts',
                './script/fixes.ts',
                './tensor/dtype.ts',
              ],
            },
            { target: './extension', from: './webview', except: ['./messages.ts', './model'] },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // An op's record holds functions, and none of them has a `this`.
      '@typescript-eslint/unbound-method': 'off',
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' }],
    },
  },
  { files: ['*.config.ts', 'test/**/vitest.config.ts'], rules: { 'import-x/no-default-export': 'off' } },
);
