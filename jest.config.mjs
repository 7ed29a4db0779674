/** Every suite runs on the TypeScript sources; suites that spawn the product use the build that globalSetup makes. */
export default {
  rootDir: '.',
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/bench'],
  testMatch: ['**/*.spec.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  transformIgnorePatterns: ['/node_modules/'],
  testTimeout: 30_000,
  testSequencer: '<rootDir>/test/sequencer.mjs',
  maxWorkers: 2,
};
