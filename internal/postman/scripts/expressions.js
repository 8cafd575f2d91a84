// What expressions of the mapping are made of.
const textOf = (record, name) => { const v = record[name]; return v === null || v === undefined ? '' : String(v) }
const isBlank = (v) => v === null || v === undefined || (typeof v === 'number' ? Number.isNaN(v) : typeof v === 'string' && clean(v) === '')
const numberOf = (record, name) => {
  const text = clean(textOf(record, name))
  if (text === '' || /^nan$/i.test(text)) return NaN
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : left(`${name} is not a number`)
}
const flagOf = (record, name) => clean(textOf(record, name)).toLowerCase() === 'true'
const momentOf = (record, name, end) => {
  const text = clean(textOf(record, name))
  if (text === '') return ''
  const at = moment(text)
  return at === null ? left(`${name} is not a date`) : new Date(at).toISOString().slice(0, end)
}
const dateOf = (record, name) => momentOf(record, name, 10)
const timeOf = (record, name) => { const t = momentOf(record, name, 19); return t === '' ? '' : t + 'Z' }
const written = (v) => {
  if (v === null || v === undefined || (typeof v === 'number' && Number.isNaN(v))) return ''
  if (typeof v === 'number' && (!Number.isFinite(v) || String(v).includes('e'))) left('an expression gave no plain number')
  return String(v)
}
const letters = (s, turn) => Array.from(s, (c) => { const t = turn(c); return Array.from(t).length === 1 ? t : c }).join('')
const call = {
  len: (v) => Array.from(v).length,
  trim: (s, set) => set === undefined ? s.replace(blankEnds, '') : call.trimEnds(s, set),
  trimEnds: (s, set) => { let a = Array.from(s); while (a.length && set.includes(a[0])) a.shift(); while (a.length && set.includes(a[a.length - 1])) a.pop(); return a.join('') },
  trimPrefix: (s, p) => s.startsWith(p) ? s.slice(p.length) : s,
  trimSuffix: (s, p) => p !== '' && s.endsWith(p) ? s.slice(0, -p.length) : s,
  upper: (s) => letters(s, (c) => c.toUpperCase()),
  lower: (s) => letters(s, (c) => c.toLowerCase()),
  split: (s, by) => s.split(by),
  replace: (s, a, b) => s.split(a).join(b),
  join: (list, by = '') => list.join(by),
  hasPrefix: (s, p) => s.startsWith(p),
  hasSuffix: (s, p) => s.endsWith(p),
  abs: Math.abs, ceil: Math.ceil, floor: Math.floor,
  round: (n) => Math.sign(n) * Math.round(Math.abs(n)),
  int: (v) => typeof v === 'number' ? Math.trunc(v) : /^[+-]?\d+$/.test(v) ? Number(v) : left('an expression asks for the number of a text that is none'),
  float: (v) => typeof v === 'number' ? v : /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(v) ? Number(v) : left('an expression asks for the number of a text that is none'),
  max: (...list) => Math.max(...list.flat()), min: (...list) => Math.min(...list.flat()),
  blank: isBlank, string: written, domain: (s) => domainOf(s),
  first: (list) => list.length ? list[0] : null, last: (list) => list.length ? list[list.length - 1] : null,
  uniq: (list) => Array.from(new Set(list)), reverse: (list) => list.slice().reverse(), concat: (...lists) => [].concat(...lists),
  sort: (list) => list.slice().sort((a, b) => a < b ? -1 : a > b ? 1 : 0),
  any: (list, f) => list.some(f), all: (list, f) => list.every(f), none: (list, f) => !list.some(f),
  one: (list, f) => list.filter(f).length === 1, count: (list, f) => list.filter(f).length, filter: (list, f) => list.filter(f), map: (list, f) => list.map(f),
  in: (v, list) => list.includes(v),
  // JavaScript and expr count letters beyond ASCII differently.
  slice: (v, from, to) => Array.isArray(v) || /^[\x00-\x7f]*$/.test(v) ? v.slice(from, to) : left('an expression cuts a text with letters beyond ASCII'),
  divide: (a, b) => a / b,
}
