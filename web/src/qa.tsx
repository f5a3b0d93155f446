// /qa: reading and judging transcripts.
import dicts from 'dict:qa';
import shared from 'dict:staff';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { systemTimers } from './model/clock.js';
import { pickLanguage } from './model/i18n.js';
import { ime } from './model/ime.js';
import { followLooks, settings, store } from './state/console/settings.js';
import { reloadForLanguage, setLanguage } from './state/console/words.js';
import { Qa } from './state/qa/qa.js';
import './ui/theme/tokens.css';
import './ui/theme/base.css';
import './ui/kit/kit.css';
import './ui/qa/qa.css';
import { App } from './ui/qa/App.js';

followLooks(document.documentElement);
ime.follow(document);

const root = document.getElementById('app');
const wanted = () => (settings.value.lang === '' ? pickLanguage(navigator.languages) : settings.value.lang);

let first = true;
effect(() => {
  void setLanguage([shared, dicts], wanted()).then(() => {
    if (first && root) render(<App makeQa={(s, onSignedOut) => new Qa(s, store, systemTimers, onSignedOut)} />, root);
    first = false;
  }, () => (first ? undefined : reloadForLanguage()));
});
