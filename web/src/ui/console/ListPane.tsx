// The left pane: offers, own chats and the queue. Rows keep their places while pointer or focus is in the list.
import { useComputed } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { claimChat } from '../../actions/chat.js';
import { claimNext } from '../../actions/desk.js';
import { ime } from '../../model/ime.js';
import { stateText } from '../../state/console/labels.js';
import { groupNames, matches } from '../../state/console/lists.js';
import type { GroupName } from '../../state/console/lists.js';
import { isOver, nextPromise } from '../../state/console/row.js';
import type { Row } from '../../state/console/row.js';
import { steadyOrder } from '../../state/console/urgency.js';
import type { ChatView } from '../../state/console/view.js';
import { i18n, t } from '../../state/console/words.js';
import { Avatar, Badge, Button, Icon, icons } from '../kit/index.js';
import { Age, ClassBadge, Due } from './bits.js';
import { Act, useDesk } from './desk.js';
import { Offers } from './Offers.js';

const titles: Record<GroupName, () => string> = {
  mine: () => t('group.mine'), asked: () => t('group.asked'), queue: () => t('group.queue'),
  later: () => t('group.later'), away: () => t('group.away'), others: () => t('group.others'),
};

export function ListPane() {
  const desk = useDesk();
  const [folded, setFolded] = useState<ReadonlySet<GroupName>>(new Set());
  const pointed = useRef(false);
  const point = (list: HTMLElement, on: boolean) => {
    pointed.current = on;
    desk.holdOrder.value = on || list.contains(document.activeElement);
  };
  const toggle = (name: GroupName) => setFolded((f) => {
    const next = new Set(f);
    if (!next.delete(name)) next.add(name);
    return next;
  });
  return (
    <nav class="list-pane" aria-label={t('list.label')}>
      <Offers />
      <SearchBox />
      <div class="list" onPointerEnter={(e) => point(e.currentTarget, true)} onPointerLeave={(e) => point(e.currentTarget, false)}
        onFocusIn={() => (desk.holdOrder.value = true)} onFocusOut={(e) => (desk.holdOrder.value = pointed.current || e.currentTarget.contains(e.relatedTarget as Node | null))}>
        {groupNames.map((name) => <Group key={name} name={name} folded={folded.has(name)} onToggle={() => toggle(name)} />)}
      </div>
      <Queues />
    </nav>
  );
}

function SearchBox() {
  const desk = useDesk();
  const take = (e: { currentTarget: HTMLInputElement }) => {
    desk.search.value = e.currentTarget.value;
  };
  return (
    <div class="list-search">
      <Icon path={icons.search} size={16} />
      <input id="chat-search" type="search" placeholder={t('list.search')} aria-label={t('list.search')} value={desk.search.value} onInput={(e) => !e.isComposing && take(e)} onCompositionEnd={take}
        onKeyDown={(e) => {
          if (e.key !== 'Escape' || ime.owns(e)) return;
          desk.search.value = '';
          e.currentTarget.blur();
        }} />
      <kbd>/</kbd>
    </div>
  );
}

function Group({ name, folded, onToggle }: { name: GroupName; folded: boolean; onToggle: () => void }) {
  const desk = useDesk();
  const before = useRef<string[]>([]);
  const search = desk.search.value;
  const wanted = desk.groups.value[name].filter((r) => matches(r, search)).map((r) => r.chat);
  const order = steadyOrder(wanted, before.current, desk.holdOrder.value);
  before.current = order;
  const waiting = desk.queues.value.filter((q) => desk.departments.value.includes(q.department)).reduce((n, q) => n + q.waiting, 0);
  if (order.length === 0 && name !== 'mine' && name !== 'queue') return null;
  return (
    <section class="group" aria-labelledby={`group-${name}`}>
      <h2 class="group-head">
        <button type="button" id={`group-${name}`} aria-expanded={!folded} onClick={onToggle}>
          <Icon path={folded ? icons.chevronRight : icons.chevronDown} size={14} />
          {titles[name]()}
          <span class="group-n">{order.length}</span>
        </button>
        {name === 'queue' && <Act action={claimNext} kind="quiet" small hide />}
      </h2>
      {!folded && order.length === 0 && <p class="group-empty">{search ? t('list.no_match') : name === 'mine' ? t('list.no_chats') : waiting > 0 ? t('list.in_turn', { n: waiting }) : t('list.no_queue')}</p>}
      {!folded && (
        <ul class="rows">
          {order.map((chat) => {
            const view = desk.views.get(chat);
            return view && <ChatRow key={chat} view={view} group={name} />;
          })}
        </ul>
      )}
    </section>
  );
}

function ChatRow({ view, group }: { view: ChatView; group: GroupName }) {
  const desk = useDesk();
  const row = view.row.value;
  const open = useComputed(() => desk.open.value === view.chat);
  const draft = useComputed(() => desk.drafts.chats.value.has(view.chat));
  const typing = useComputed(() => view.typing.value.some((s) => s.from.role === 'shopper'));
  const name = row.shopper?.name ?? t('guest');
  const promise = nextPromise(row);
  const due = isOver(row) ? null : (promise?.until ?? row.parkedUntil);
  return (
    <li class={row.unread > 0 ? 'row unread' : 'row'}>
      <button type="button" class="row-open" data-chat={view.chat} aria-current={open.value ? 'true' : undefined} onClick={() => desk.show(view.chat)}>
        <Avatar name={name} small />
        <span class="row-main">
          <span class="row-line">
            <b class="row-name" dir="auto">{name}</b>
            <RowAge row={row} />
          </span>
          <span class="row-line">
            <span class="row-last" dir="auto">
              {typing.value ? <em class="row-typing">{t('row.typing')}</em> : row.last ? <>{row.last.from !== 'shopper' && <Icon path={icons.reply} size={12} />}{row.last.text}</> : <span class="soft">{t('row.no_message')}</span>}
            </span>
            {row.unread > 0 && <Badge tone="brand" title={t('row.unread', { n: row.unread })}>{i18n.value.number(row.unread)}<span class="sr"> {t('row.unread', { n: row.unread })}</span></Badge>}
          </span>
          <RowFacts row={row} group={group} due={due} draft={draft.value} />
        </span>
      </button>
      {group === 'queue' && <Button small class="row-claim" onClick={() => void claimChat(desk, view.chat)}>{t('act.claim')}</Button>}
    </li>
  );
}

function RowAge({ row }: { row: Row }) {
  if (row.state === 'waiting' || row.state === 'offered') return row.waitingSince !== null || row.unansweredSince !== null ? <Age since={row.unansweredSince ?? row.waitingSince ?? 0} /> : null;
  if (row.unansweredSince !== null && row.state !== 'parked') return <Age since={row.unansweredSince} />;
  return row.last ? <time class="when" dateTime={new Date(row.last.at).toISOString()} title={i18n.value.full(row.last.at)}>{i18n.value.time(row.last.at)}</time> : null;
}

function RowFacts({ row, group, due, draft }: { row: Row; group: GroupName; due: number | null; draft: boolean }) {
  const desk = useDesk();
  const facts = [];
  if (draft) facts.push(<span class="fact draft" key="d"><Icon path={icons.note} size={12} />{t('row.draft')}</span>);
  if (row.class !== 'normal') facts.push(<ClassBadge name={row.class} key="c" />);
  if (row.transfer) facts.push(<Badge tone="info" key="t">{t('row.transfer')}</Badge>);
  if (row.consult && group === 'asked') facts.push(<Badge tone="note" key="q">{t('row.asked')}</Badge>);
  if (group === 'later' || (group === 'queue' && row.state === 'offered')) facts.push(<Badge key="s">{stateText(row.state)}</Badge>);
  if (row.handler && row.handler.id !== desk.me.id) facts.push(<span class="fact" key="h"><Icon path={icons.user} size={12} />{desk.nameOf(row.handler.id, row.handler.name)}</span>);
  if (due !== null) facts.push(<Due key="p" until={due} />);
  if (group === 'queue' || group === 'others') facts.push(<span class="fact" key="w">{desk.departmentText(row.department)}</span>);
  return facts.length > 0 ? <span class="row-facts">{facts}</span> : null;
}

/** The departments' queues, as the server counts them. */
function Queues() {
  const desk = useDesk();
  const lines = desk.queues.value.filter((q) => q.waiting > 0 || desk.departments.value.includes(q.department));
  if (lines.length === 0) return null;
  return (
    <footer class="queues">
      <h2 class="sr">{t('queues.label')}</h2>
      <div class="queue-scroll" role="group" aria-label={t('queues.label')} tabIndex={0}><ul class="queue-lines">
        {lines.map((q) => (
          <li key={q.department}>
            <span class="queue-name">{desk.departmentText(q.department)}</span>
            <span class={q.waiting > 0 ? 'queue-n busy' : 'queue-n'}>{q.waiting > 0 ? t('queues.waiting', { n: q.waiting }) : t('queues.none')}</span>
            {q.waiting > 0 && q.longest_since != null && <Age since={q.longest_since} />}
          </li>
        ))}
      </ul></div>
    </footer>
  );
}
