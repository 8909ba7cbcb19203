import { BaseCommand } from '../base.ts';

export default class DeploymentList extends BaseCommand {
  static override summary = 'List the deployments, shipped ones and those in /etc/hft/deployments';
  static override examples = ['<%= config.bin %> deployment list', '<%= config.bin %> deployment list --json'];

  async run() {
    await this.parse(DeploymentList);
    const { openDeploymentStore } = await import('../../cli/deployment-store.ts');
    const { listProfiles } = await import('../../profile/list.ts');
    const { viewProfileList } = await import('../../views/profile-list.ts');
    const deployments = await listProfiles(openDeploymentStore(this.config.root));
    return this.show({ deployments }, (terminal) => viewProfileList(deployments, terminal, 'deployments'));
  }
}
