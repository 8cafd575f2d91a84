// A page of HubSpot records, made ready: what each is to hold in Salesforce, by
// which keys it may be there already, and which questions find that out.
const soqlText = (s) => "'" + String(s).replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n').replace(/\r/g, '\\r') + "'"

// The main record on the other end of an association: the primary one, else the
// oldest.
const mainAssociation = (record, a) => {
  const results = (((record.associations || {})[a.relation] || {}).results || [])
  const primary = results.find((r) => r.type === a.primary)
  if (primary) return String(primary.id)
  return results.map((r) => String(r.id)).sort((x, y) => x.length - y.length || (x < y ? -1 : 1))[0] || ''
}

const prepare = (rules, results) => {
  const page = { records: [], left: [], excluded: 0, read: results.length }
  for (const record of results) {
    const h = record.properties
    try {
      if (rules.keep && !rules.keep(h)) { page.excluded++; continue }
      const one = { id: String(record.id), keys: rules.match.map((rule) => keyOf(rule, h[rule.hubspot])), values: {}, far: {} }
      const route = rules.targets.find((t) => !t.when || t.when(h))
      one.target = route ? route.object : ''
      for (const t of rules.targets) {
        const values = {}
        // Of a target that this record does not become, an impossible value is no reason to leave it out.
        try {
          for (const f of t.fields) if (!f.compute) { const v = convert(f, h[f.from]); if (v !== undefined) values[f.to] = v }
        } catch (problem) {
          if (!(problem instanceof Left)) throw problem
          one.cannot = { ...one.cannot, [t.object]: problem.message }
        }
        one.values[t.object] = values
      }
      for (const a of rules.associations) one.far[a.relation] = mainAssociation(record, a)
      if (rules.reads) one.properties = h
      page.records.push(one)
    } catch (problem) {
      if (!(problem instanceof Left)) throw problem
      page.left.push({ id: record.id, why: problem.message })
    }
  }
  return page
}

const questions = (rules, page, version) => {
  const ask = []
  const query = (reference, soql) => ask.push({ method: 'GET', referenceId: reference, url: `/services/data/v${version}/query?q=${encodeURIComponent(soql)}` })
  for (const t of rules.targets) {
    const terms = []
    if (rules.externalId && page.records.length) terms.push(`${rules.externalId} IN (${page.records.map((r) => soqlText(r.id)).join(',')})`)
    rules.match.forEach((rule, i) => {
      const values = Array.from(new Set(page.records.map((r) => r.keys[i]).filter((v) => v !== '')))
      if (!values.length) return
      if (rule.as === 'domain') terms.push(...values.map((v) => `${rule.salesforce} LIKE ${soqlText('%' + v).slice(0, -1).replace(/_/g, '\\_')}%'`))
      else terms.push(`${rule.salesforce} IN (${values.map(soqlText).join(',')})`)
    })
    if (terms.length) query(t.object, `SELECT ${t.select.join(', ')} FROM ${t.object} WHERE ${terms.join(' OR ')}`)
  }
  for (const a of rules.associations) {
    const ids = Array.from(new Set(page.records.map((r) => r.far[a.relation]).filter((v) => v !== '')))
    if (ids.length) a.objects.forEach((object) => query(`far_${a.relation}_${object}`, `SELECT Id, ${a.externalId} FROM ${object} WHERE ${a.externalId} IN (${ids.map(soqlText).join(',')})`))
  }
  return { allOrNone: false, compositeRequest: ask }
}
