// The first kind of record for which this token has no scope.
const granted = String(pm.environment.get('hubspot_scopes') || '').split(' ')
const closed = doors.find((door) => !door.scopes.some((scope) => granted.includes(scope)))
if (granted[0] === '' || !closed) {
  console.log('Skipped: ' + (closed ? 'run "Read the token\'s scopes" first' : 'this token has every scope that is tried here'))
  pm.execution.skipRequest()
} else {
  pm.environment.set('closed_object', closed.object)
}
