// All keys, from the actions themselves.
import type { ActionGroup } from '../../../actions/action.js';
import { actions } from '../../../actions/desk.js';
import { showKey } from '../../../actions/keys.js';
import { choose, settings } from '../../../state/console/settings.js';
import { t } from '../../../state/console/words.js';
import { Check, Dialog } from '../../kit/index.js';
import { useDesk } from '../desk.js';

export function groupText(group: ActionGroup): string {
  switch (group) {
    case 'go': return t('keys.go');
    case 'offer': return t('keys.offer');
    case 'write': return t('keys.write');
    case 'chat': return t('keys.chat');
    case 'lead': return t('keys.lead');
    case 'shift': return t('keys.shift');
    default: return t('keys.look');
  }
}

const groups: ActionGroup[] = ['offer', 'write', 'chat', 'go', 'lead', 'look'];

export function KeysDialog() {
  const desk = useDesk();
  const withKeys = actions.filter((a) => a.keys && a.shown?.(desk) !== false);
  const fixed: Array<[string, string]> = [
    [t('keys.send'), settings.value.enterSends ? 'Enter' : 'Ctrl Enter'], [t('keys.newline'), settings.value.enterSends ? 'Shift Enter' : 'Enter'],
    [t('keys.marked'), 'Alt Enter'], [t('keys.articles'), '/'], [t('keys.escape'), 'Esc'],
  ];
  return (
    <Dialog title={t('act.keys')} closeLabel={t('close')} wide onClose={() => (desk.dialog.value = null)}>
      <div class="keys-cols">
        {groups.map((group) => {
          const rows: Array<[string, string]> = withKeys.filter((a) => a.group === group).map((a) => [t(a.label), (a.keys ?? []).map(showKey).join('  /  ')]);
          if (group === 'write') rows.push(...fixed);
          if (rows.length === 0) return null;
          return (
            <section key={group}>
              <h3>{groupText(group)}</h3>
              <dl class="keys">{rows.map(([name, key]) => <div key={name}><dt>{name}</dt><dd><kbd>{key}</kbd></dd></div>)}</dl>
            </section>
          );
        })}
      </div>
      <Check label={t('keys.letters')} hint={t('keys.letters_says')} checked={settings.value.letterKeys} onChange={(e) => choose({ letterKeys: e.currentTarget.checked })} />
    </Dialog>
  );
}
