import { test } from '@playwright/test';

test('signs in', async ({ page }) => {
  await page.login('ada', 'fake-password');
  await auth.login(user, password);
});
