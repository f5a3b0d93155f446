// Asking a colleague without leaving the case, and answering one who asks.
import { useState } from 'preact/hooks';
import type { ChatView } from '../../../state/console/view.js';
import { t } from '../../../state/console/words.js';
import { TextArea } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { Receivers } from './receivers.js';
import { useText } from './useText.js';

export function ConsultDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [to, setTo] = useState('');
  const [question, setQuestion] = useText('question');
  return (
    <ActDialog title={t('consult.title')} submit={t('consult.submit')}
      command={to === '' || question.trim() === '' ? null : { t: 'chat.consult', chat: view.chat, to, question: question.trim() }}
      onDone={() => desk.announce(t('consult.sent', { to: desk.nameOf(to) }))}>
      <p class="dialog-says">{t('consult.says')}</p>
      <Receivers desk={desk} value={to} onPick={setTo} label={t('consult.to')} />
      <TextArea label={t('consult.question')} value={question} maxLength={2000} dir="auto" onInput={(e) => setQuestion(e.currentTarget.value)} />
    </ActDialog>
  );
}

export function AnswerDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [text, setText] = useText('text');
  const question = view.row.peek().consult?.question;
  return (
    <ActDialog title={t('answer.title')} submit={t('answer.submit')}
      command={text.trim() === '' ? null : { t: 'consult.answer', chat: view.chat, text: text.trim() }}
      onDone={() => desk.announce(t('answer.sent'))}>
      {question && <blockquote class="dialog-quote" dir="auto">{question}</blockquote>}
      <TextArea label={t('answer.text')} value={text} maxLength={4000} rows={4} dir="auto" autoFocus onInput={(e) => setText(e.currentTarget.value)} />
    </ActDialog>
  );
}
