// Which dialog is open, and for what.
import type { AlertAction } from './labels.js';

export type ChatDialog = 'resolve' | 'transfer' | 'consult' | 'answer' | 'refer' | 'park' | 'promise' | 'triage' | 'tag' | 'verify' | 'reassign';

export type DialogState =
  | { kind: ChatDialog; chat: string }
  | { kind: 'alert'; alert: string; action: AlertAction }
  | { kind: 'task'; task: string }
  | { kind: 'past'; chat: string; past: string }
  | { kind: 'palette' | 'keys' | 'settings' | 'capacity' };
