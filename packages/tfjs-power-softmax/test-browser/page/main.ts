import '../../test/ops.test.js';
import '../../test/power_softmax.test.js';
import '../../test/power_softmax_masks.test.js';
import '../../test/second_gradients.test.js';
import '../webgl.test.js';
import { environment, type SpecResult } from './jasmine.js';

declare global {
  interface Window {
    /** Runs all tests; the last thing that the page defines. */
    runTests(): Promise<{ overallStatus: string; specs: SpecResult[] }>;
  }
}

window.runTests = async () => {
  const specs: SpecResult[] = [];
  environment.configure({ random: false });
  environment.addReporter({
    specDone: ({ fullName, status, duration, failedExpectations }) => {
      specs.push({ fullName, status, duration, failedExpectations: failedExpectations.map(({ message, stack }) => ({ message, stack })) });
    },
  });
  const { overallStatus } = await environment.execute();
  return { overallStatus, specs };
};
