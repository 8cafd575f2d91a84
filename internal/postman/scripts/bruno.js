// The words of Postman, said in Bruno's.
const pm = {
  test: (name, check) => test(name, check),
  expect: (value, message) => expect(value, message),
  environment: {
    get: (key) => bru.getEnvVar(key),
    set: (key, value) => bru.setEnvVar(key, String(value)),
  },
  collectionVariables: {
    get: (key) => bru.getVar(key),
    set: (key, value) => bru.setVar(key, value),
  },
  execution: {
    setNextRequest: (name) => bru.runner.setNextRequest(name),
    skipRequest: () => bru.runner.skipRequest(),
  },
}
// Bruno's safe mode has no console.
const talk = { log: (line) => { if (typeof console !== 'undefined') console.log(line) } }
