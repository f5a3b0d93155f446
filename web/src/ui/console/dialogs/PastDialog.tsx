// An earlier chat of a shopper, read only: as the archive has it, also when it is no longer live.
import { useMemo, useState } from 'preact/hooks';
import { pastLog } from '../../../state/console/past.js';
import type { PastLog } from '../../../state/console/past.js';
import { ChatView } from '../../../state/console/view.js';
import { i18n, t } from '../../../state/console/words.js';
import { Button, Dialog, Spinner, icons } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ItemRow } from '../Log.js';
import { buildItems } from '../items.js';
import { useAsk } from '../useAsk.js';

/** Of a long one the last rows come first, more on request. */
const ROWS = 200;

export function PastDialog({ chat }: { chat: string }) {
  const desk = useDesk();
  const asked = useAsk(() => pastLog(chat), [chat]);
  return (
    <Dialog title={asked.value === null ? t('card.past') : t('past.title', { when: i18n.value.full(asked.value.started) })} closeLabel={t('close')} wide onClose={() => (desk.dialog.value = null)}>
      {asked.error !== null ? (
        <div class="log-note" role="alert"><p>{t('log.failed')}</p><Button small icon={icons.refresh} onClick={asked.again}>{t('retry')}</Button></div>
      ) : asked.value === null ? <div class="log-note"><Spinner label={t('log.loading')} /></div> : <PastRows log={asked.value} />}
    </Dialog>
  );
}

function PastRows({ log }: { log: PastLog }) {
  const desk = useDesk();
  const lang = i18n.value;
  const view = useMemo(() => new ChatView(log.chat, { sync: () => undefined, entry: () => undefined, voided: () => undefined }), [log]);
  const items = useMemo(() => buildItems(log.events, lang.sameDay), [log, lang]);
  const [rows, setRows] = useState(ROWS);
  const hidden = Math.max(0, items.length - rows);
  return (
    <div class="past-log" role="log" aria-live="off" aria-label={t('log.label')} tabIndex={0}>
      {hidden > 0 && <Button small kind="quiet" onClick={() => setRows(rows + ROWS)}>{t('log.earlier', { n: hidden })}</Button>}
      {items.slice(hidden).map((item) => <ItemRow key={item.key} item={item} view={view} me={desk.me.id} />)}
    </div>
  );
}
