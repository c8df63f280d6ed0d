/** @file The task `jitlens: check`: the same analysis of whole folders, its findings in the Problems panel. */
import { ProcessExecution, Task, TaskScope, tasks, workspace, type TaskDefinition, type WorkspaceFolder } from 'vscode';
import type { Registration } from '../registration.ts';

const TYPE = 'jitlens';
const COMMAND = 'check';

interface CheckDefinition extends TaskDefinition {
  readonly paths?: unknown;
}

export function registerTasks(cliPath: string): Registration[] {
  const made = (definition: CheckDefinition, scope: WorkspaceFolder | TaskScope) => {
    const paths = Array.isArray(definition.paths) ? definition.paths.filter((path) => typeof path === 'string') : [];
    const execution = new ProcessExecution(process.execPath, [cliPath, COMMAND, ...paths], {
      env: { ELECTRON_RUN_AS_NODE: '1', NO_COLOR: '1' },
    });
    return new Task(definition, scope, COMMAND, TYPE, execution, '$jitlens');
  };
  return [
    tasks.registerTaskProvider(TYPE, {
      provideTasks: () => (workspace.workspaceFolders ?? []).map((folder) => made({ type: TYPE, command: COMMAND }, folder)),
      resolveTask: ({ definition, scope }) =>
        definition['command'] === COMMAND ? made(definition, scope ?? TaskScope.Workspace) : undefined,
    }),
  ];
}
