// The dialog that is open, if any.
import { AlertDialog } from './dialogs/AlertDialog.js';
import { ConsultDialog, AnswerDialog } from './dialogs/ConsultDialog.js';
import { KeysDialog } from './dialogs/KeysDialog.js';
import { ParkDialog, PromiseDialog } from './dialogs/ParkDialog.js';
import { Palette } from './dialogs/Palette.js';
import { PastDialog } from './dialogs/PastDialog.js';
import { CapacityDialog, SettingsDialog } from './dialogs/SettingsDialog.js';
import { ReassignDialog, ReferDialog, TagDialog, TriageDialog, VerifyDialog } from './dialogs/SmallDialogs.js';
import { ResolveDialog } from './dialogs/ResolveDialog.js';
import { TaskDialog } from './dialogs/TaskDialog.js';
import { TransferDialog } from './dialogs/TransferDialog.js';
import { useDesk } from './desk.js';

export function Dialogs() {
  const desk = useDesk();
  const d = desk.dialog.value;
  if (d === null) return null;
  switch (d.kind) {
    case 'palette': return <Palette />;
    case 'keys': return <KeysDialog />;
    case 'settings': return <SettingsDialog />;
    case 'capacity': return <CapacityDialog />;
    case 'alert': return <AlertDialog alert={d.alert} action={d.action} />;
    case 'task': return <TaskDialog task={d.task} />;
    case 'past': return <PastDialog chat={d.past} key={d.past} />;
    default: break;
  }
  const view = desk.views.get(d.chat);
  if (!view) return null;
  switch (d.kind) {
    case 'resolve': return <ResolveDialog view={view} />;
    case 'transfer': return <TransferDialog view={view} />;
    case 'consult': return <ConsultDialog view={view} />;
    case 'answer': return <AnswerDialog view={view} />;
    case 'refer': return <ReferDialog view={view} />;
    case 'park': return <ParkDialog view={view} />;
    case 'promise': return <PromiseDialog view={view} />;
    case 'triage': return <TriageDialog view={view} />;
    case 'tag': return <TagDialog view={view} />;
    case 'verify': return <VerifyDialog view={view} />;
    case 'reassign': return <ReassignDialog view={view} />;
    default: return null;
  }
}
