// Messages left and call-backs asked for: each with an owner, on the list until somebody says what came of it.
import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Task } from '../../model/types.js';
import { contactLink } from '../../state/console/tasks.js';
import { i18n, shortWhen, t } from '../../state/console/words.js';
import { Badge, Button, Icon, icons } from '../kit/index.js';
import { Due } from './bits.js';
import { useDesk } from './desk.js';

const PAGE = 50;

export function Tasks() {
  const desk = useDesk();
  const [mine, setMine] = useState(false);
  const [most, setMost] = useState(PAGE);
  const all = desk.tasksInOrder.value;
  const own = all.filter((x) => x.owner?.id === desk.me.id);
  const shown = mine ? own : all;
  return (
    <main class="board tasks" id="conversation" tabIndex={-1}>
      <header class="tasks-head">
        <h1>{t('tasks.title')}</h1>
        <div class="screens" role="group" aria-label={t('tasks.whose')}>
          <button type="button" aria-pressed={!mine} onClick={() => setMine(false)}>{t('tasks.all')}<span class="tasks-n">{i18n.value.number(all.length)}</span></button>
          <button type="button" aria-pressed={mine} onClick={() => setMine(true)}>{t('tasks.mine')}<span class="tasks-n">{i18n.value.number(own.length)}</span></button>
        </div>
      </header>
      {shown.length === 0 ? <Nothing elsewhere={mine ? all.length : 0} /> : (
        <ul class="task-list" aria-label={t('tasks.title')}>{shown.slice(0, most).map((x) => <One key={x.task} task={x} />)}</ul>
      )}
      {shown.length > most && <Button small onClick={() => setMost(most + PAGE)}>{t('show_more')}</Button>}
    </main>
  );
}

function Nothing({ elsewhere }: { elsewhere: number }) {
  return (
    <div class="tasks-none">
      <span class="nothing-icon"><Icon path={icons.check} size={30} /></span>
      <h2>{t('tasks.none')}</h2>
      <p>{elsewhere > 0 ? t('tasks.none_mine', { n: elsewhere }) : t('tasks.none_says')}</p>
    </div>
  );
}

function One({ task }: { task: Task }) {
  const desk = useDesk();
  const call = task.what === 'callback';
  const name = task.shopper?.name || t('guest');
  const about = task.about;
  return (
    <li class="task" aria-label={`${name}: ${t(call ? 'tasks.callback' : 'tasks.message')}`}>
      <div class="task-head">
        <Icon path={call ? icons.phone : icons.mail} size={18} />
        <h2 dir="auto">{name}</h2>
        <Badge tone={call ? 'info' : 'note'}>{t(call ? 'tasks.callback' : 'tasks.message')}</Badge>
        {task.due_at !== undefined && <Due until={task.due_at} />}
      </div>
      {task.text && <p class="task-text" dir="auto">{task.text}</p>}
      <dl class="task-facts">
        <div><dt>{t('tasks.contact')}</dt><dd><Contact contact={task.contact ?? ''} /></dd></div>
        {task.department && <div><dt>{t('card.department')}</dt><dd>{desk.departmentText(task.department)}</dd></div>}
        <div><dt>{t('tasks.owner')}</dt><dd>{task.owner === undefined ? t('nobody_yet') : task.owner.id === desk.me.id ? t('you') : desk.nameOf(task.owner.id, task.owner.name)}</dd></div>
        {task.at !== undefined && <div><dt>{t('tasks.since')}</dt><dd><Since at={task.at} /></dd></div>}
      </dl>
      <div class="task-acts">
        <Button small kind="primary" icon={icons.check} onClick={() => (desk.dialog.value = { kind: 'task', task: task.task })}>{t('tasks.done')}</Button>
        {about !== undefined && <Button small kind="quiet" icon={icons.chat} onClick={() => desk.show(about)}>{t('tasks.chat')}</Button>}
      </div>
    </li>
  );
}

/** When it came, and how long ago that is. Only its own text changes with time. */
function Since({ at }: { at: number }) {
  const desk = useDesk();
  const age = useComputed(() => i18n.value.span(desk.now.value - at));
  return <time dateTime={new Date(at).toISOString()} title={i18n.value.full(at)}>{shortWhen(at)} <span class="soft">({age})</span></time>;
}

function Contact({ contact }: { contact: string }) {
  const link = contactLink(contact);
  if (contact === '') return <span class="soft">{t('tasks.no_contact')}</span>;
  return link === null ? <span dir="auto">{contact}</span> : <a href={link} dir="auto" rel="noopener noreferrer nofollow">{contact}</a>;
}
