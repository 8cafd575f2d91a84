// The system's Chromium, headless, for walks through the sandbox's pages.
import { chromium } from 'playwright-core'
import { existsSync } from 'node:fs'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

// launch starts the browser; close it when done.
export async function launch() {
  if (!program) throw new Error('there is no Chromium: install the package chromium')
  return chromium.launch({
    executablePath: program,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-proxy-server',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

// need reads an address that the Go test gives.
export function need(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run these tests with "go test -tags clients ./clients", which starts a sandbox`)
  return value.replace(/\/$/, '')
}
