// Names of states, classes, checks and departments in the reader's language.
import { signal } from '@preact/signals';
import type { ChatState } from '../../model/types.js';
import { isObject } from '../../model/types.js';
import { i18n, t } from './words.js';

interface DepartmentTitles {
  name: string;
  title_en?: string;
  title_zh?: string;
}

const titles = signal<DepartmentTitles[]>([]);

/** Takes the titles out of a welcome's settings. */
export function takeDepartmentTitles(settings: unknown): void {
  const list = isObject(settings) ? settings['departments'] : null;
  if (Array.isArray(list)) titles.value = list.filter((d): d is DepartmentTitles => isObject(d) && typeof d['name'] === 'string');
}

/** A department's title in the reader's language; its name where none is known. */
export function departmentText(name: string): string {
  const known = titles.value.find((d) => d.name === name);
  return (i18n.value.lang === 'zh-CN' ? known?.title_zh : known?.title_en) ?? name;
}

/** The name of the department that bears this name or title, in either language; what none bears stays as it is. */
export function departmentNamed(text: string): string {
  const wanted = text.toLowerCase();
  const known = titles.value.find((d) => [d.name, d.title_en, d.title_zh].some((s) => s?.toLowerCase() === wanted));
  return known?.name ?? text;
}

export function stateText(state: ChatState): string {
  switch (state) {
    case 'waiting': return t('state.waiting');
    case 'offered': return t('state.offered');
    case 'assigned': return t('state.assigned');
    case 'active': return t('state.active');
    case 'proposed': return t('state.proposed');
    case 'parked': return t('state.parked');
    case 'closed': return t('state.closed');
    case 'abandoned': return t('state.abandoned');
    default: return state;
  }
}

export function classText(name: string): string {
  switch (name) {
    case 'urgent': return t('class.urgent');
    case 'care': return t('class.care');
    case 'returning': return t('class.returning');
    case 'vip': return t('class.vip');
    case 'normal': return t('class.normal');
    default: return name;
  }
}

export const checkNames = ['name', 'order', 'phone', 'email', 'address'] as const;

export function checkText(name: string): string {
  switch (name) {
    case 'name': return t('check.name');
    case 'order': return t('check.order');
    case 'phone': return t('check.phone');
    case 'email': return t('check.email');
    case 'address': return t('check.address');
    case 'identity': return t('check.identity');
    default: return name;
  }
}

export const resolutions = ['answered', 'referred', 'request', 'complaint'] as const;
export type Resolution = (typeof resolutions)[number];

export function resolutionText(name: string): string {
  switch (name) {
    case 'answered': return t('resolution.answered');
    case 'referred': return t('resolution.referred');
    case 'request': return t('resolution.request');
    case 'complaint': return t('resolution.complaint');
    default: return name;
  }
}

export function presenceText(state: string): string {
  switch (state) {
    case 'on': return t('presence.on');
    case 'paused': return t('presence.paused');
    case 'off': return t('presence.off');
    case 'away': return t('presence.away');
    default: return state;
  }
}

export const alertActions = ['take_over', 'move', 'call_back', 'explain'] as const;
export type AlertAction = (typeof alertActions)[number];

export function alertActionText(action: AlertAction): string {
  switch (action) {
    case 'take_over': return t('alert.take_over');
    case 'move': return t('alert.move');
    case 'call_back': return t('alert.call_back');
    case 'explain': return t('alert.explain');
    default: return action;
  }
}
