import { t } from '../../state/console/words.js';
import { choose, settings } from '../../state/console/settings.js';
import { Check, Dialog } from '../kit/index.js';

export function KeysDialog({ onClose }: { onClose: () => void }) {
  const rows: Array<[string, string]> = [
    ['/', t('keys.search')], ['↑ ↓', t('keys.jump')], ['E', t('keys.events')], ['← →', t('keys.criterion')], ['0 … 5', t('keys.score')], ['X', t('keys.na')],
    ['C', t('keys.comment')], ['Ctrl Enter', t('keys.submit')], ['Esc', t('keys.close')], ['?', t('keys.title')],
  ];
  return (
    <Dialog title={t('keys.title')} closeLabel={t('close')} onClose={onClose}>
      <dl class="keys">{rows.map(([key, text]) => <div key={key}><dt>{text}</dt><dd><kbd>{key}</kbd></dd></div>)}</dl>
      <Check label={t('keys.letters')} checked={settings.value.letterKeys} onChange={(e) => choose({ letterKeys: e.currentTarget.checked })} />
    </Dialog>
  );
}
