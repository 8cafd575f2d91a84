// Shows the Copy buttons, which need a script, and makes them work.
for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy)
    try {
      await navigator.clipboard.writeText(field.textContent.trim())
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(field)
      button.textContent = 'Press Ctrl+C'
    }
  })
}
