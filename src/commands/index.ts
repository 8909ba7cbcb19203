import type { Command } from '@oclif/core';
import Adopt from './adopt.ts';
import AgentAuditShow from './agent/audit/show.ts';
import AgentAuditVerify from './agent/audit/verify.ts';
import AgentAuthorize from './agent/authorize.ts';
import AgentInstall from './agent/install.ts';
import AgentKeygen from './agent/keygen.ts';
import AgentRun from './agent/run.ts';
import AgentStatus from './agent/status.ts';
import AgentTrust from './agent/trust.ts';
import AgentUninstall from './agent/uninstall.ts';
import Completion from './completion.ts';
import Confirm from './confirm.ts';
import DeploymentList from './deployment/list.ts';
import DeploymentSchema from './deployment/schema.ts';
import DeploymentValidate from './deployment/validate.ts';
import DpdkEal from './dpdk/eal.ts';
import FleetDiff from './fleet/diff.ts';
import Help from './help.ts';
import Inspect from './inspect.ts';
import Launch from './launch.ts';
import Place from './place.ts';
import Plan from './plan.ts';
import ProfileExplain from './profile/explain.ts';
import ProfileList from './profile/list.ts';
import ProfileSchema from './profile/schema.ts';
import ProfileShow from './profile/show.ts';
import ProfileValidate from './profile/validate.ts';
import Ps from './ps.ts';
import ReportCommand from './report.ts';
import Rollback from './rollback.ts';
import SnapshotCommand from './snapshot.ts';
import StatusCommand from './status.ts';
import Stop from './stop.ts';
import Tune from './tune.ts';
import VerifyAll from './verify/all.ts';
import VerifyDpdk from './verify/dpdk.ts';
import VerifyLatencyCompare from './verify/latency/compare.ts';
import VerifyLatency from './verify/latency.ts';
import VerifyProcesses from './verify/processes.ts';
import VerifyPtp from './verify/ptp.ts';
import VerifySettings from './verify/settings.ts';

/** Every command, by its id: `profile:list` is typed `hft profile list`. A test compares this list with the folder. */
export const commands: Readonly<Record<string, Command.Class>> = {
  adopt: Adopt,
  'agent:audit:show': AgentAuditShow,
  'agent:audit:verify': AgentAuditVerify,
  'agent:authorize': AgentAuthorize,
  'agent:install': AgentInstall,
  'agent:keygen': AgentKeygen,
  'agent:run': AgentRun,
  'agent:status': AgentStatus,
  'agent:trust': AgentTrust,
  'agent:uninstall': AgentUninstall,
  completion: Completion,
  confirm: Confirm,
  'deployment:list': DeploymentList,
  'deployment:schema': DeploymentSchema,
  'deployment:validate': DeploymentValidate,
  'dpdk:eal': DpdkEal,
  'fleet:diff': FleetDiff,
  help: Help,
  inspect: Inspect,
  launch: Launch,
  place: Place,
  plan: Plan,
  'profile:explain': ProfileExplain,
  'profile:list': ProfileList,
  'profile:schema': ProfileSchema,
  'profile:show': ProfileShow,
  'profile:validate': ProfileValidate,
  ps: Ps,
  report: ReportCommand,
  rollback: Rollback,
  snapshot: SnapshotCommand,
  status: StatusCommand,
  stop: Stop,
  tune: Tune,
  'verify:all': VerifyAll,
  'verify:dpdk': VerifyDpdk,
  'verify:latency': VerifyLatency,
  'verify:latency:compare': VerifyLatencyCompare,
  'verify:processes': VerifyProcesses,
  'verify:ptp': VerifyPtp,
  'verify:settings': VerifySettings,
};
