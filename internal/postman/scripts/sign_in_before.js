const missing = asked.filter((name) => !pm.environment.get(name))
if (missing.length) {
  console.log('Skipped: fill ' + missing.join(' and ') + ' in the environment to try this')
  pm.execution.skipRequest()
}
