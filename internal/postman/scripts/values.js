// How a HubSpot value becomes a Salesforce value. The same code stands in each
// request that needs it, because a script cannot call another request's script.
// A value that Salesforce would not take throws Left: its record is left out
// whole, and named, so that nothing is half written.
class Left extends Error {}
const left = (why) => { throw new Left(why) }

// Says which records are left out: the first twenty of a page as a line of the
// results each, all of them in the console.
const tellLeft = (list) => list.forEach((one, i) => {
  const line = `left out: HubSpot ${rules.hubspot} ${one.id}: ${one.why}`
  if (i < 20) pm.test(line, () => pm.expect(one.why).to.be.a('string'))
  console.log(line)
})

const blankEnds = /^[\s\u0085]+|[\s\u0085]+$/g
const clean = (value) => (value === null || value === undefined ? '' : String(value)).replace(/\r\n?/g, '\n').normalize('NFC').replace(blankEnds, '')

const plusOne = (digits) => {
  const nines = /9*$/.exec(digits)[0].length, rest = digits.slice(0, digits.length - nines)
  return (rest === '' ? '1' : rest.slice(0, -1) + String(Number(rest.slice(-1)) + 1)) + '0'.repeat(nines)
}

// A decimal number, rounded as both user interfaces do: halves away from zero.
const decimal = (text, f) => {
  const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (!m || (m[2] || '') + (m[3] || '') === '') left(`${f.from} is not a number`)
  let digits = m[2] + (m[3] || ''), scale = (m[3] || '').length - Number(m[4] || 0)
  if (scale < 0) { digits += '0'.repeat(-scale); scale = 0 }
  digits = digits.padStart(scale + 1, '0')
  if (f.scale !== undefined && scale > f.scale) {
    const kept = digits.slice(0, digits.length - (scale - f.scale)), up = digits[kept.length] >= '5'
    digits = up ? plusOne(kept) : kept
    scale = f.scale
    digits = digits.padStart(scale + 1, '0')
  }
  const whole = digits.slice(0, digits.length - scale).replace(/^0+/, ''), part = scale ? digits.slice(-scale).replace(/0+$/, '') : ''
  if (f.precision && whole.length > f.precision - (f.scale || 0)) left(`${f.from} has more digits than ${f.to} takes`)
  if ((whole + part).replace(/^0+|0+$/g, '').length > 15) left(`${f.from} has more digits than JavaScript can tell apart`)
  const n = Number(`${whole || '0'}${part ? '.' + part : ''}`)
  return m[1] === '-' && n !== 0 ? -n : n
}

// Milliseconds since 1970 of a date or time as HubSpot writes it; null for none.
const moment = (text) => {
  if (/^[+-]?\d{1,14}$/.test(text)) return Number(text)
  const m = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?)?$/.exec(text)
  if (!m) return null
  const day = new Date(Date.UTC(+m[1], +m[2] - 1, +m[3]))
  if (Number.isNaN(+day) || day.toISOString().slice(0, 10) !== `${m[1]}-${m[2]}-${m[3]}` || +m[4] > 23 || +m[5] > 59 || +m[6] > 59) return null
  const clock = ((+m[4] || 0) * 3600 + (+m[5] || 0) * 60 + (+m[6] || 0)) * 1000 + Math.floor(Number(`0.${m[7] || 0}`) * 1000)
  const offset = m[8] ? (m[8] === '-' ? -1 : 1) * (+m[9] * 60 + +m[10]) * 60000 : 0
  return +day + clock - offset
}

const has = (table, key) => Object.prototype.hasOwnProperty.call(table, key)
const lookUp = (table, text) => has(table, text) ? table[text] : has(table, text.toLowerCase()) ? table[text.toLowerCase()] : null

// The option that stands for a value; undefined: leave the field alone.
const choose = (f, text) => {
  const found = lookUp(f.options, text)
  if (found !== null) return found
  if (f.unmapped === 'skip') return undefined
  if (f.unmapped === 'use') return f.use
  return left(`${f.from} is ${JSON.stringify(text)}, which ${f.to} does not know`)
}

const parts = (text) => text.split(';').map((part) => clean(part)).filter((part) => part !== '')

const fit = (f, text) => {
  if (!f.length || text.length <= f.length) return text
  if (f.tooLong === 'skip') return undefined
  if (f.tooLong !== 'cut') left(`${f.from} has ${text.length} characters, ${f.to} takes ${f.length}`)
  let kept = '', base = ''
  for (const letter of text) {
    const follows = /\p{M}|\u200d/u.test(letter)
    if (!follows) base = kept
    if (kept.length + letter.length > f.length) return clean(follows ? base : kept)
    kept += letter
  }
  return kept
}

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' }

// What field f shall hold for this HubSpot value; null: blank; undefined: leave
// the field alone.
const convert = (f, value) => {
  let text = clean(value)
  if (text === '') return f.blank || null
  if (f.as === 'pick') {
    if (f.severalFrom && parts(text).length > 1) left(`${f.from} holds several values, ${f.to} takes one`)
    return choose(f, text)
  }
  if (f.as === 'picks') {
    const chosen = []
    for (const part of f.severalFrom ? parts(text) : [text]) {
      const one = choose(f, part)
      if (one === undefined) return undefined
      for (const option of parts(one)) if (!chosen.includes(option)) chosen.push(option)
    }
    return chosen.join(';')
  }
  const mapped = f.table ? lookUp(f.table, text) : null
  if (mapped !== null) text = mapped
  switch (f.as) {
    case 'number': return decimal(text, f)
    case 'bool': {
      const named = f.options ? lookUp(f.options, text) : null
      const word = (named === null ? text : named).toLowerCase()
      return word === 'true' ? true : word === 'false' ? false : left(`${f.from} is neither true nor false`)
    }
    case 'date': case 'time': {
      const at = moment(text)
      if (at === null) left(`${f.from} is not a date`)
      const iso = new Date(at).toISOString()
      return f.as === 'date' ? iso.slice(0, 10) : iso.slice(0, 19) + '.000Z'
    }
    case 'email': {
      const at = text.lastIndexOf('@')
      if (at <= 0 || at === text.length - 1 || /[ \n\t,;<>]/.test(text)) left(`${f.from} is not an e-mail address`)
    }
  }
  if (f.asFrom === 'plain') text = text.replace(/[&<>'"]/g, (c) => entities[c]).replace(/\n/g, '<br>')
  if (f.asFrom === 'date' || f.asFrom === 'time') {
    const at = moment(text)
    if (at !== null) text = f.asFrom === 'date' ? new Date(at).toISOString().slice(0, 10) : new Date(at).toISOString()
  }
  if (f.asFrom === 'bool') text = text.toLowerCase()
  return fit(f, text)
}
