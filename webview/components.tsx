/**
 * @file The controls. The only file that knows the toolkit: to swap it, rewrite this one. In: plain props. Out:
 * `vscode-*` elements, which take their looks from the theme by themselves.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { h, type ComponentChildren, type VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  readonly kind?: 'primary' | 'secondary' | 'icon';
  readonly label?: string;
  readonly pressed?: boolean;
}

export function Button({ children, onClick, kind = 'secondary', label, pressed }: ButtonProps): ComponentChildren {
  const state = pressed === undefined ? {} : { 'aria-pressed': String(pressed), class: pressed ? 'pressed' : '' };
  return h('vscode-button', { appearance: kind, onClick, title: label, 'aria-label': label, ...state }, children);
}

interface CheckboxProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly children: ComponentChildren;
  readonly title?: string;
}

export function Checkbox({ checked, onChange, children, title }: CheckboxProps): ComponentChildren {
  const change = (event: Event): void => {
    const { target } = event;
    // The element also reports when it is set from here.
    if (target instanceof HTMLElement && 'checked' in target && target.checked !== checked) onChange(target.checked === true);
  };
  return h('vscode-checkbox', { checked, onChange: change, title }, children);
}

interface DropdownProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}

export function Dropdown<T extends string>({ label, value, options, onChange }: DropdownProps<T>): VNode {
  const element = useRef<HTMLElement & { value?: string }>(null);
  useEffect(() => {
    // Its options are slotted in after it is made; before that it takes no value.
    requestAnimationFrame(() => {
      if (element.current) element.current.value = value;
    });
  }, [value]);
  const change = (): void => {
    const chosen = options.find(([name]) => name === element.current?.value)?.[0];
    if (chosen !== undefined && chosen !== value) onChange(chosen);
  };
  return (
    <label class="labelled">
      <span>{label}</span>
      {h(
        'vscode-dropdown',
        { ref: element, onChange: change, 'aria-label': label },
        options.map(([name, text]) => h('vscode-option', { value: name, key: name }, text)),
      )}
    </label>
  );
}

interface SearchProps {
  readonly value: string;
  readonly label: string;
  readonly placeholder: string;
  readonly onInput: (value: string) => void;
  readonly onEnter: (backwards: boolean) => void;
}

export function SearchField({ value, label, placeholder, onInput, onEnter }: SearchProps): ComponentChildren {
  const read = (event: Event): void => {
    const { target } = event;
    if (target instanceof HTMLElement && 'value' in target) onInput(String(target.value));
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') onEnter(event.shiftKey);
    else if (event.key === 'Escape') onInput('');
  };
  return h('vscode-text-field', {
    class: 'search',
    value,
    placeholder,
    'aria-label': label,
    title: label,
    onInput: read,
    onKeyDown: keys,
  });
}

export function Busy(): ComponentChildren {
  return h('vscode-progress-ring', { class: 'busy', 'aria-label': 'Working' });
}
