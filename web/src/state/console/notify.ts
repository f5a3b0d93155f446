// Being noticed: sound, title, badge, favicon dot, desktop notices. Only one tab sounds: the one that holds the lock, of those with
// somebody signed in.
import { effect, signal } from '@preact/signals';
import { settings } from './settings.js';

type Unlock = 'waiting' | 'on' | 'refused';

/** Browsers let a page sound only after the first gesture on it. */
export const soundState = signal<Unlock>('waiting');
export const noticeState = signal<NotificationPermission | 'none'>(typeof Notification === 'undefined' ? 'none' : Notification.permission);

let audio: AudioContext | null = null;
let isSignedIn = false;
let isSpeaker = false;
let isAsking = false;
let passOn: () => void = () => undefined;
let repeating: ReturnType<typeof setInterval> | null = null;
let missedWhileHidden = false;

const REPEAT_MS = 6_000;

function unlock(): void {
  try {
    audio ??= new AudioContext();
    void audio.resume().then(() => {
      soundState.value = audio?.state === 'running' ? 'on' : 'refused';
    });
  } catch {
    soundState.value = 'refused';
  }
  askForTurn();
}

function askForTurn(): void {
  if (!isSignedIn || !audio || isAsking || !('locks' in navigator)) return;
  isAsking = true;
  void navigator.locks.request('firstline-sound', () => {
    isSpeaker = isAsking = isSignedIn;
    return isSpeaker ? new Promise<void>((done) => (passOn = done)) : undefined;
  });
}

/** Somebody has signed in: this tab sounds when its turn comes. */
export function soundOn(): void {
  isSignedIn = true;
  askForTurn();
}

/** Nobody is signed in here any more: another tab sounds. */
export function soundOff(): void {
  stopOfferSound();
  isSignedIn = false;
  if (isSpeaker) isSpeaker = isAsking = false;
  passOn();
}

/** Two soft notes, up for an offer, one for a message. */
function beep(notes: number[]): void {
  if (!audio || audio.state !== 'running') return;
  const start = audio.currentTime;
  notes.forEach((hertz, i) => {
    if (!audio) return;
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    const at = start + i * 0.16;
    tone.type = 'sine';
    tone.frequency.value = hertz;
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(Math.max(0.001, settings.value.volume * 0.4), at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(loud).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  });
}

function mayWeSound(): boolean {
  return settings.value.sound && (isSpeaker || !('locks' in navigator));
}

export function testSound(): void {
  unlock();
  setTimeout(() => beep([660, 880]), 60);
}

export function soundMessage(): void {
  if (!mayWeSound()) return;
  if (audio?.state === 'running') beep([740]);
  else missedWhileHidden = true;
}

/** Sounds now and again until stopOfferSound(): when an offer is answered, or ends. */
export function startOfferSound(): void {
  if (!mayWeSound()) {
    missedWhileHidden ||= settings.value.sound && soundState.value !== 'on';
    return;
  }
  beep([660, 880]);
  repeating ??= setInterval(() => settings.value.sound && beep([660, 880]), REPEAT_MS);
}

export function stopOfferSound(): void {
  if (repeating !== null) clearInterval(repeating);
  repeating = null;
}

export async function askForNotices(): Promise<void> {
  if (typeof Notification === 'undefined') return;
  noticeState.value = await Notification.requestPermission();
}

export function notice(title: string, text: string, tag: string, onClick: () => void): void {
  if (noticeState.value !== 'granted' || document.visibilityState === 'visible') return;
  try {
    const shown = new Notification(title, { tag, silent: true, ...(settings.value.noticeText ? { body: text } : {}) });
    shown.onclick = () => {
      window.focus();
      onClick();
      shown.close();
    };
  } catch {
    // some systems refuse notices outside a service worker
  }
}

const icon = (dot: boolean) =>
  `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f5f5b"/><path d="M8 10h16v10h-8l-5 4v-4H8z" fill="#fff"/>${
      dot ? '<circle cx="25" cy="7" r="6" fill="#d92d20" stroke="#fff" stroke-width="2"/>' : ''}</svg>`)}`;

/** Shows how many things wait in the title, the favicon and the app's badge. */
export function followCount(count: () => number, title: () => string): void {
  let dotted: boolean | null = null;
  effect(() => {
    const n = count();
    document.title = n > 0 ? `(${n}) ${title()}` : title();
    if (dotted !== n > 0) {
      dotted = n > 0;
      document.querySelector<HTMLLinkElement>('link[rel=icon]')?.setAttribute('href', icon(dotted));
    }
    if ('setAppBadge' in navigator) void (n > 0 ? navigator.setAppBadge(n) : navigator.clearAppBadge()).catch(() => undefined);
  });
}

export function followGestures(page: Document): void {
  const once = () => {
    unlock();
    page.removeEventListener('pointerdown', once, true);
    page.removeEventListener('keydown', once, true);
    if (missedWhileHidden) setTimeout(() => beep([740]), 80);
    missedWhileHidden = false;
  };
  page.addEventListener('pointerdown', once, true);
  page.addEventListener('keydown', once, true);
}
