// Closing a task: it goes with a word on what came of it, or not at all.
import { t } from '../../../state/console/words.js';
import { TextArea } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { useText } from './useText.js';

export function TaskDialog({ task }: { task: string }) {
  const desk = useDesk();
  const [note, setNote] = useText('note');
  const found = desk.tasks.value.find((x) => x.task === task);
  const done = () => {
    desk.dropTask(task);
    desk.toasts.say(t('tasks.closed'));
    document.querySelector<HTMLElement>('#conversation')?.focus(); // the button it came from is gone
  };
  return (
    <ActDialog title={t('tasks.done')} submit={t('tasks.done')} command={note.trim() === '' || !found ? null : { t: 'task.done', task, note: note.trim() }}
      explain={(r) => (r.code === 'conflict' || r.code === 'not_found' ? t('tasks.over') : null)} onDone={done}>
      {found ? <p class="dialog-says">{t('tasks.done_says', { name: found.shopper?.name || t('guest') })}</p> : <p class="dialog-says" role="status">{t('tasks.over')}</p>}
      <TextArea label={t('tasks.result')} value={note} maxLength={1000} rows={3} dir="auto" autoFocus onInput={(e) => setNote(e.currentTarget.value)} />
    </ActDialog>
  );
}
