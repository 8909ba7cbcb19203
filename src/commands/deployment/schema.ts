import { BaseCommand } from '../base.ts';

export default class DeploymentSchema extends BaseCommand {
  static override summary = 'Print the JSON Schema of deployments, for editors';
  static override description =
    'With yaml-language-server (VS Code, Neovim, Emacs) the first line of a deployment turns on completion and checks:\n' +
    '# yaml-language-server: $schema=hft-deployment.schema.json';
  static override examples = ['<%= config.bin %> deployment schema > hft-deployment.schema.json'];

  async run() {
    await this.parse(DeploymentSchema);
    const { deploymentJsonSchema } = await import('../../launch/load.ts');
    const schema = deploymentJsonSchema();
    return this.show(schema, () => JSON.stringify(schema, null, 2));
  }
}
