// Keys by which a record of one side is found on the other: equal keys mean the
// same thing, whatever the spelling.
const freeMail = "gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.co.jp ymail.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de outlook.com outlook.de live.com msn.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de proton.me protonmail.com mail.com mail.ru yandex.ru yandex.com qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net orange.fr free.fr laposte.net wanadoo.fr libero.it virgilio.it wp.pl o2.pl onet.pl seznam.cz uol.com.br bol.com.br comcast.net verizon.net att.net sbcglobal.net btinternet.com sky.com zoho.com fastmail.com hey.com tutanota.com rediffmail.com".split(" ")

const domainOf = (text) => {
  let s = clean(text).replace(/^[^/]*?:\/\//, '').replace(/^\/\//, '').split(/[/?#\\]/)[0]
  s = s.slice(s.lastIndexOf('@') + 1)
  if (s.includes(':')) s = s.slice(0, s.lastIndexOf(':'))
  s = s.toLowerCase().replace(/^[. ]+|[. ]+$/g, '').replace(/^(www\.+)+/, '')
  return s.includes('.') && !/[\s,;<>()'"]/.test(s) && !/^\d+\.\d+\.\d+\.\d+$/.test(s) ? s : ''
}

const phoneOf = (text) => {
  let s = text.toLowerCase(), extension = ''
  const m = /(?:ext(?:ension)?\.?|durchwahl|;|x|#)\s*([0-9]+)\s*$/.exec(s)
  if (m && /[0-9]/.test(s.slice(0, m.index))) { extension = ';' + m[1]; s = s.slice(0, m.index) }
  s = s.trim().replace(/^((?:\+|00)[^()]*)\(\s*0\s*\)/, '$1')
  let out = ''
  for (const c of s) {
    if (/[0-9]/.test(c) || (c === '+' && out === '')) out += c
    else if (!' \t()-./\u00a0\u2010\u2011\u2012\u2013\u202f'.includes(c)) return ''
  }
  if (out.startsWith('00')) out = '+' + out.slice(2)
  return (out + extension).replace(/[^0-9]/g, '').length < 7 ? '' : out + extension
}

const keyOf = (rule, value) => {
  const text = clean(value)
  if (text === '') return ''
  switch (rule.as) {
    case 'email': return text.lastIndexOf('@') > 0 && !text.endsWith('@') ? text.toLowerCase() : ''
    case 'domain': { const domain = domainOf(text); return freeMail.includes(domain) ? '' : domain }
    case 'phone': return phoneOf(text)
    // Both spellings of a record id, of 15 and of 18 characters, are one.
    case 'id': return !rule.record ? text : /^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/.test(text) ? text.slice(0, 15) : ''
    default: return text.toLowerCase().replace(/[\s\u0085]+/g, ' ')
  }
}
