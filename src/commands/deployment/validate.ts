import { Args } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class DeploymentValidate extends BaseCommand {
  static override summary = 'Check a deployment: every mistake with file, line and column';
  static override description = 'Exit code 0 when it is right, 2 when it is not. Looks at no host: `place` does.';
  static override examples = ['<%= config.bin %> deployment validate ./deployment.yaml'];
  static override args = {
    file: Args.string({ required: true, description: 'A YAML file, or the name of a deployment' }),
  };

  async run() {
    const { args } = await this.parse(DeploymentValidate);
    const { openDeploymentStore } = await import('../../cli/deployment-store.ts');
    const { loadDeployment } = await import('../../launch/load.ts');
    const { viewValidDeployment } = await import('../../views/deployment-validate.ts');
    const { name, file, sources, processes } = await loadDeployment(args.file, openDeploymentStore(this.config.root));
    const valid = { valid: true, name, file, sources, processes: Object.keys(processes) };
    return this.show(valid, () => viewValidDeployment(valid));
  }
}
