// All versions of an article that the console saved, with who and when, each whole.
import { useState } from 'preact/hooks';
import { versions } from '../../../state/console/knowledge.js';
import type { OldVersion } from '../../../state/console/knowledge.js';
import { Badge, Dialog } from '../../kit/index.js';
import { Waiting, useAsk } from './ask.js';
import { i18n, t } from './words.js';

export function History({ article, onClose }: { article: string; onClose: () => void }) {
  const asked = useAsk(() => versions(article), [article]);
  return (
    <Dialog title={t('kb.history')} closeLabel={t('kb.close')} wide onClose={onClose}>
      <Waiting asked={asked}>
        {(list: OldVersion[]) => (list.length === 0 ? <p class="soft">{t('kb.no_history')}</p> : (
          <ol class="kb-history">{list.map((v, i) => <Entry key={`${v.lang}-${v.version}`} v={v} before={list.slice(i + 1).find((o) => o.lang === v.lang)} />)}</ol>
        ))}
      </Waiting>
    </Dialog>
  );
}

/** Lines that the version before doesn't have are marked: enough to see what was done. */
function Entry({ v, before }: { v: OldVersion; before: OldVersion | undefined }) {
  const [open, setOpen] = useState(false);
  const had = new Set((before?.text ?? '').split('\n'));
  return (
    <li>
      <button type="button" class="kb-history-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Badge>{v.lang}</Badge><b>{t('kb.version_n', { version: String(v.version) })}</b><span>{v.by.name}</span><span class="when">{i18n.value.full(v.at)}</span>
      </button>
      {open && <pre class="kb-history-text" dir="auto" tabIndex={0}>{v.text.split('\n').map((line, i) => (before && !had.has(line) && line.trim() !== '' ? <ins key={i}>{`${line}\n`}</ins> : `${line}\n`))}</pre>}
    </li>
  );
}
