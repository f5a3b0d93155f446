// /console: the rep's face.
import dicts from 'dict:console';
import shared from 'dict:staff';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { systemTimers } from './model/clock.js';
import { pickLanguage } from './model/i18n.js';
import { ime } from './model/ime.js';
import { pageWake, socketUrl } from './model/socket.js';
import type { WireClass } from './model/socket.js';
import { session } from './state/console/api.js';
import { Desk } from './state/console/desk.js';
import { followGestures } from './state/console/notify.js';
import { followLooks, settings, store } from './state/console/settings.js';
import { reloadForLanguage, setLanguage } from './state/console/words.js';
import './ui/theme/tokens.css';
import './ui/theme/base.css';
import './ui/kit/kit.css';
import './ui/console/console.css';
import { App } from './ui/console/App.js';

followLooks(document.documentElement);
followGestures(document);
ime.follow(document);

const root = document.getElementById('app');
const wanted = () => (settings.value.lang === '' ? pickLanguage(navigator.languages) : settings.value.lang);

function start(): void {
  if (!root) return;
  render(
    <App makeDesk={(s, onSignedOut) => {
      const desk = new Desk({
        session: s, store, timers: systemTimers, random: Math.random, onSignedOut, checkSession: session.get,
        socket: { url: socketUrl(location.origin, '/ws/rep'), WebSocket: WebSocket as unknown as WireClass, wake: pageWake(window) },
      });
      window.addEventListener('pagehide', () => desk.drafts.flush());
      window.addEventListener('storage', (e) => desk.drafts.changed(e.key));
      return desk;
    }} />, root);
}

let first = true;
effect(() => {
  void setLanguage([shared, dicts], wanted()).then(() => {
    if (first) start();
    first = false;
  }, () => (first ? undefined : reloadForLanguage()));
});
